"""Adapters, transports, printers and coded profiles, found by entry points, loaded when asked for.

Groups: ``ki_hub.adapters`` (name = format), ``ki_hub.transports``, ``ki_hub.printers``,
``ki_hub.profiles`` (each a sequence of :class:`hub.capabilities.CodedProfile`). Nothing is imported
before it is needed; what was loaded is kept.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from hub.capabilities import CodedProfile
from hub.contract import Adapter, Printer
from hub.errors import Misconfigured, Unsupported
from hub.sending import TransportFactory

ADAPTERS = "ki_hub.adapters"
TRANSPORTS = "ki_hub.transports"
PRINTERS = "ki_hub.printers"
PROFILES = "ki_hub.profiles"


@cache
def installed(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group, by name; read once, for it opens every package's metadata."""
    return tuple(sorted(entry_points(group=group)))


class Registry:
    """What is installed beside the hub. Safe to share between threads: loading twice is the
    same import, and the last one kept is equal to the first."""

    def __init__(self) -> None:
        self._points: dict[str, dict[str, EntryPoint]] = {}
        self._loaded: dict[tuple[str, str], Any] = {}

    def formats(self) -> tuple[str, ...]:
        """The formats that have an adapter, in order of name."""
        return self._names(ADAPTERS)

    def adapter(self, format: str) -> Adapter:
        """The adapter of a format.

        Raises Unsupported, listing the known formats, or Misconfigured if it does not load.
        """
        if format not in self.formats():
            known = ", ".join(self.formats()) or "none is installed"
            raise Unsupported(f"No adapter for that format; known: {known}")
        return cast(Adapter, self._load(ADAPTERS, format))

    def package(self, format: str) -> str:
        """The module that the format's adapter is found in."""
        self.adapter(format)
        return self._points[ADAPTERS][format].module

    def adapters(self) -> tuple[Adapter, ...]:
        """All of them, loaded; Misconfigured if one does not load."""
        return tuple(self.adapter(f) for f in self.formats())

    def inbound(self) -> tuple[str, ...]:
        """The formats that documents come in, in order of name; Misconfigured as above."""
        return tuple(a.format for a in self.adapters() if a.media_types)

    def for_event(self, event: str) -> Adapter:
        """The adapter that parses a FHIR message event (``system|code``); else Unsupported."""
        found = next((a for a in self.adapters() if event in a.events), None)
        if found is None:
            known = ", ".join(sorted(e for a in self.adapters() for e in a.events))
            raise Unsupported(f"No adapter for that message event; known: {known}")
        return found

    def for_notices(self) -> Adapter:
        """The adapter that makes notices and nothing else; else Unsupported."""
        found = next((a for a in self.adapters() if getattr(a, "only_notices", False)), None)
        if found is None:
            raise Unsupported("No adapter for notices is installed")
        return found

    def transport_names(self) -> tuple[str, ...]:
        """The names of the transports, in order."""
        return self._names(TRANSPORTS)

    def transport(self, name: str) -> TransportFactory:
        """What makes a transport; Misconfigured if there is none of that name."""
        return cast(TransportFactory, self._known(TRANSPORTS, name))

    def printer(self, name: str | None = None) -> Printer:
        """The printer of that name, else the first; Misconfigured if there is none."""
        names = self._names(PRINTERS)
        if name is None and not names:
            raise Misconfigured("No printer is installed (entry point group ki_hub.printers)")
        return cast(Printer, self._known(PRINTERS, name or names[0]))

    def profiles(self) -> tuple[CodedProfile, ...]:
        """All coded profiles; Misconfigured if one does not load."""
        names = self._names(PROFILES)
        return tuple(profile for name in names for profile in self._load(PROFILES, name))

    def _known(self, group: str, name: str) -> Any:
        if name not in self._names(group):
            known = ", ".join(self._names(group)) or "none is installed"
            raise Misconfigured(f"Nothing of that name in {group}; known: {known}")
        return self._load(group, name)

    def _names(self, group: str) -> tuple[str, ...]:
        if group not in self._points:
            self._points[group] = {p.name: p for p in installed(group)}
        return tuple(self._points[group])

    def _load(self, group: str, name: str) -> Any:
        key = (group, name)
        if key not in self._loaded:
            point = self._points[group][name]
            try:
                self._loaded[key] = point.load()
            except (ImportError, AttributeError) as e:
                text = f"{group}: {name} does not load ({type(e).__name__} from {point.value})"
                raise Misconfigured(text) from e
        return self._loaded[key]
