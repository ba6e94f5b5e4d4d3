"""Adapters, transports and printers by entry point."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from hub.errors import Misconfigured, Unsupported
from hub.runtime import registry as module
from hub.runtime.registry import Registry


def test_the_canonical_format_is_installed() -> None:
    registry = Registry()
    assert "fhir" in registry.formats()
    assert registry.adapter("fhir").format == "fhir"
    assert registry.adapter("fhir") is registry.adapter("fhir")


def test_an_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(Unsupported, match="fhir"):
        Registry().adapter("telegram")


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    code = (
        "import sys; from hub.runtime.registry import Registry; r = Registry(); r.formats();"
        "assert not any(m.startswith('adapters') for m in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry in which one adapter does not load and one is the canonical one."""
    found = (
        EntryPoint("fhir", "adapters.fhir:ADAPTER", module.ADAPTERS),
        EntryPoint("gone", "no_such_module:ADAPTER", module.ADAPTERS),
    )
    monkeypatch.setattr(
        module, "installed", lambda group: found if group == module.ADAPTERS else ()
    )
    return Registry()


def test_a_broken_adapter_is_the_operators_move(broken: Registry) -> None:
    assert broken.adapter("fhir").format == "fhir"
    with pytest.raises(Misconfigured, match="gone"):
        broken.adapter("gone")


def test_nothing_installed(broken: Registry) -> None:
    with pytest.raises(Misconfigured):
        broken.printer()
    with pytest.raises(Misconfigured):
        broken.transport("pigeon")
    assert broken.transport_names() == ()


def test_events(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (EntryPoint("fhir", "adapters.fhir:ADAPTER", module.ADAPTERS),)
    monkeypatch.setattr(module, "installed", lambda group: found)
    event = "https://ki-hub.example/fhir/CodeSystem/ki-event|plan-update"
    assert Registry().for_event(event).format == "fhir"
    with pytest.raises(Unsupported, match="plan-update"):
        Registry().for_event("urn:x|y")
