"""The embedded validator: FHIR R4 4.0.1 and the profiles at hand."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from hub.contract import Resource
from hub.errors import Issue, Misconfigured
from hub.fhir.validation.coded import Coded, Source
from hub.fhir.validation.findings import Findings
from hub.fhir.validation.profiles import Profiles, load
from hub.fhir.validation.scope import Neighbours
from hub.fhir.validation.slicing import undecidable
from hub.fhir.validation.walk import Walk


class EmbeddedValidator:
    """Checks resources against R4 and profiles; a ``hub.ports.Validator``.

    Every issue has a FHIR issue type, a FHIRPath and a text in English and Danish; none holds a
    value of the resource. Safe to share between threads. ``best_practice`` adds what R4 only
    recommends, such as a narrative (``dom-6``); ``by_fhirpath`` False leaves out the invariants
    that need the FHIRPath engine, for a quick first look. ``coded`` gives the profiles whose
    rules are in code; it is asked when the first profile is met that is not among ``profiles``.
    """

    def __init__(
        self,
        profiles: Profiles | None = None,
        coded: Source = tuple,
        *,
        best_practice: bool = False,
        by_fhirpath: bool = True,
    ) -> None:
        self._profiles = profiles if profiles is not None else published()
        self._coded = Coded(coded)
        self._best_practice = best_practice
        self._by_fhirpath = by_fhirpath

    def check(self, resources: Iterable[Resource], *, profile: str | None = None) -> list[Issue]:
        """All issues of some resources at once; empty means nothing was found.

        References between them are followed. Of several of one type, the second is
        ``Goal[1]`` in the issues' paths, the third ``Goal[2]``. ``profile`` is a canonical to
        hold each to, whatever it declares in ``meta.profile``.
        """
        given = list(resources)
        findings = Findings()
        walk = Walk(
            self._profiles,
            findings,
            self._coded,
            best_practice=self._best_practice,
            by_fhirpath=self._by_fhirpath,
        )
        known = Neighbours((None, r) for r in given) if len(given) > 1 else None
        asked = [profile] if profile is not None else []
        seen: dict[str, int] = {}
        for resource in given:
            path = self._path(resource, seen)
            try:
                walk.resource(resource, path, asked=asked, neighbours=known)
            except RecursionError:
                findings.add("too-costly", "too-deep", path)
        return findings.issues()

    def _path(self, resource: Resource, seen: dict[str, int]) -> str:
        """The resource's type and number; an unknown type is the sender's own text."""
        kind = resource.get("resourceType")
        known = isinstance(kind, str) and self._profiles.tables.resource(kind)
        name = str(kind) if known else "Resource"
        number = seen.get(name, 0)
        seen[name] = number + 1
        return f"{name}[{number}]" if number else name


@cache
def published() -> Profiles:
    """The project's own profiles, read once per process."""
    return Profiles(load())


def prepare(profiles: Profiles) -> None:
    """Apply every profile now; raises Misconfigured for one that cannot be checked as written."""
    profiles.prepare()
    for url in profiles.urls():
        shape = profiles.declared(url)
        unclear = undecidable(shape, profiles) if shape is not None else []
        if unclear:
            raise Misconfigured(f"{url} does not tell apart: {', '.join(unclear)}")
