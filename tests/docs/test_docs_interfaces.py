"""Every HTTP route of the hub is in the reference, and none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from fastapi.routing import APIRoute

import hub.api
from hub.api.app import create_app
from hub.runtime.bootstrap import build, close
from hub.runtime.settings import Settings
from tests.docs.pages import DOCS, code_spans

Route = tuple[str, str]
"""Method and path, parameters as ``{}``."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[set[Route]]:
    """What the application itself says it serves."""
    built = build(Settings(data=tmp_path, bus_url="", database_url=""))
    schema = create_app(built).openapi()
    yield {_route(method, path) for path, item in schema["paths"].items() for method in item}
    close(built)


def routes() -> set[Route]:
    """Every route of every module; HEAD goes with GET."""
    modules = [import_module(f"hub.api.{m.name}") for m in iter_modules(hub.api.__path__)]
    return {
        _route(method, route.path)
        for module in modules
        if hasattr(module, "ROUTER")
        for route in module.ROUTER.routes
        if isinstance(route, APIRoute)
        for method in (route.methods or set()) - {"HEAD"}
    }


def is_fhir(route: Route) -> bool:
    """Told of by the CapabilityStatement, not by OpenAPI."""
    return f"{route[1]}/".startswith("/fhir/")


def _route(method: str, path: str) -> Route:
    plain = path.partition("?")[0].removesuffix("/")
    return method.upper(), re.sub(r"\{\w+\}", "{}", plain)


def documented() -> set[Route]:
    """``GET /path`` in backticks, anywhere on the page."""
    spans = (re.fullmatch(r"(GET|POST|PUT|DELETE) (/\S*)", s) for s in code_spans(PAGE))
    return {_route(m[1], m[2]) for m in spans if m}


PAGE = DOCS / "interfaces.md"
_FOR_MACHINES = {("GET", "/docs"), ("GET", "/openapi.json")}


def test_every_route_is_documented_and_nothing_else(served: set[Route]) -> None:
    everything = served | {r for r in routes() if is_fhir(r)}
    assert len(everything) > 25
    assert documented() == everything | _FOR_MACHINES


def test_no_route_hides_from_the_schema(served: set[Route]) -> None:
    assert {r for r in routes() if not is_fhir(r)} == {r for r in served if not is_fhir(r)}
