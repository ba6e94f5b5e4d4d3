"""Every route of the application, as FastAPI has them, so that a new one is found by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI

Route = tuple[str, str]
"""Method and path as declared."""
OPEN = frozenset(
    {
        ("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/health/live"),
        ("GET", "/health/ready"), ("GET", "/fhir/metadata"), ("POST", "/oauth/token"),
        ("GET", "/fhir/ConceptMap"), ("GET", "/fhir/ConceptMap/{map_id}"),
        ("GET", "/oauth/jwks"), ("GET", "/fhir/.well-known/smart-configuration"),
    }
)  # fmt: skip
"""Open to all: nothing there is about anyone."""
LOGIN = re.compile(r"(/decisions)?/(login|logout|language)(/.*)?|/console/static|.*/\{path:path\}")
"""The console's own doors."""


def walk(routes: Iterable[Any]) -> Iterator[Any]:
    """Those of included routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from walk(inner.routes)
        else:
            yield route


def routes_of(app: FastAPI) -> list[Route]:
    """Without HEAD, which is a GET without a body."""
    return sorted(
        (method, route.path)
        for route in walk(app.routes)
        for method in (getattr(route, "methods", None) or {"GET"}) - {"HEAD"}
    )


def is_page(route: Route) -> bool:
    """A page of the console."""
    return route[1] == "/" or route[1].startswith(("/console", "/decisions", "/log", "/language"))
