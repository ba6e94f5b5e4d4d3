"""What paper does not say of a view, found by walking the view's leaves.

A leaf is said if its value stands in what is printed, as written or in the words of paper (a
date, a telephone number, a code); every other leaf is a loss by its FHIR path, so content of a
new kind is reported before anyone thinks of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from adapters.pdf import words
from adapters.pdf.content import content
from hub.contract import Loss, PlanView, Resource
from hub.fhir.extract import is_protected, placed
from hub.fhir.reading import PlanReader
from hub.mapping.paths import leaves

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT")
_DATE: Final = re.compile(r"\d{4}-\d\d(-\d\d(T.*)?)?$")
_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
_PROTECTED: Final = "the citizen's address is protected"
_NO_PLACE: Final = "no place in the template"
_IN_WORDS: Final = "told in words; the code is not printed"
_EARLIER: Final = "of several meetings the latest is told"
_SECTION: Final = "section labels are for the sectors"
_NOT_FOR_CITIZEN: Final = "left out of the citizen's own version"
_NOT_PLAIN: Final[Mapping[str, frozenset[str]]] = {
    "CarePlan": frozenset(
        {"identifier", "created", *(f"extension({x})" for x in ("level", "anchoring", "proposal"))}
    ),
    "Observation": frozenset({"effectiveDateTime"}),
    "Patient": frozenset({"address", "telecom"}),
}
"""What the citizen's version leaves out: registration data, dates of notes, own contact data."""

_WORDS: Final[Mapping[str, str]] = {
    **words.SECTIONS, **words.ROLES, **words.STATUSES, **words.ENDED_GOALS, **words.ANCHORINGS,
    **words.HORIZONS,
}  # fmt: skip
_TECHNICAL: Final = frozenset(
    {"resourceType", "id", "meta", "implicitRules", "language", "text", "active", "intent"}
)
_SILENT: Final = (
    "url", "reference", "system", "use", "version", "extension(coordination)/valueBoolean",
    "extension(rank)/valuePositiveInt", "data-absent-reason)/valueCode", "activity/id",
)  # fmt: skip
"""What links and marks, and what the order on paper tells; by the end of its place."""
_DATED: Final = frozenset(
    {
        "Appointment/start",
        "Appointment/end",
        "Appointment/extension(meeting-date)/valueDate",
        "Observation/effectiveDateTime",
        "CarePlan/created",
        "CarePlan/period/start",
        "CarePlan/period/end",
        "CarePlan/activity/detail/scheduledPeriod/start",
        "CarePlan/activity/detail/scheduledPeriod/end",
        "CarePlan/extension(proposal)/extension(date)/valueDate",
        "CarePlan/extension(next-meeting)/extension(earliest)/valueDate",
        "CarePlan/extension(next-meeting)/extension(latest)/valueDate",
        "CarePlan/extension(postscript)/extension(date)/valueDateTime",
    }
)
"""Where dates are printed: the same day may stand for something else there."""
_SAID: Final[Mapping[str, Mapping[str, frozenset[Any]]]] = {
    "CarePlan": {
        "status": frozenset({"active"}),
        "title": frozenset({"Koordinerende indsatsplan"}),
        "category/coding/code": frozenset({"ki-plan", *words.KINDS}),
        "activity/detail/kind": frozenset({"Appointment"}),
    },
    "CareTeam": {
        "status": frozenset({"active"}),
        "participant/role/coding/code": frozenset({"citizen"}),
    },
    "Condition": {"category/coding/code": frozenset({"ki-udfordring"})},
    "Goal": {"lifecycleStatus": frozenset({"proposed", "planned", "accepted", "active"})},
    "Observation": {
        "status": frozenset({"final"}),
        "code/coding/code": frozenset({"status-note"}),
    },
    "Appointment": {
        "status": frozenset({"fulfilled"}),
        "participant/status": frozenset({"accepted", "declined"}),
        "participant/type/coding/code": frozenset(words.ROLES),
    },
}
"""By type and place, the values that go without saying for what is printed as it stands."""


def losses(view: PlanView, unprintable: frozenset[str]) -> tuple[Loss, ...]:
    """The losses of printing this view, in the view's order.

    ``unprintable``: the characters that were shown as U+FFFD. Raises CannotRender as the content.
    """
    said = _Said(view)
    reader = PlanReader(view.resources)
    patient, meeting = reader.patient, reader.meeting()
    found: list[Loss] = []
    for key, resource in view.resources.items():
        if key.startswith("Appointment/") and meeting is not None and key != meeting.path:
            found.append(Loss(key, "dropped", _EARLIER))
            continue
        hidden = resource is patient and is_protected(patient)
        found += _lost(key, resource, said, hidden=hidden)
        if unprintable:
            found += _unprinted(key, resource, unprintable)
    return tuple(dict.fromkeys(found))


class _Said:
    """Every text that is printed of a view."""

    def __init__(self, view: PlanView) -> None:
        self.citizens = view.audience == "citizen"
        values = content(view, _ANY_TIME)
        lead = values["lead"]
        if not self.citizens or (lead and "mangler" not in lead["phone"]):
            # The unit's telephone is printed for a citizen whose lead has none.
            values["lead_unit"] = None
        texts = (v for _, v in leaves(values) if isinstance(v, str))
        self._all = "\n".join(texts).casefold()

    def tells(self, place: str, value: Any) -> bool:
        """As it is written, or in the words of paper."""
        if not isinstance(value, str):
            return place == "CarePlan/extension(level)/valueInteger"
        if _DATE.match(value) and place not in _DATED:
            return False
        forms = {value, words.day(value), words.telephone(value), words.cpr(value)}
        forms |= {words.clock(value) if _TIME.match(value) else "", _WORDS.get(value, "")} - {""}
        return any(f.casefold() in self._all for f in forms)


def _lost(key: str, resource: Resource, said: _Said, *, hidden: bool) -> Iterator[Loss]:
    kind = resource["resourceType"]
    if kind == "DocumentReference":
        yield Loss(key, "dropped", "an attached original is not printed")
        return
    if kind == "Organization" and resource.get("identifier"):
        reason = "paper names a unit; its identifier is not printed"
        yield Loss(f"{key}/identifier", "coarsened", reason)
    found = list(placed(resource))
    in_words = {
        path.partition("/coding[")[0].removesuffix("/text")
        for path, place, value in found
        if place.endswith(("/text", "/display")) and said.tells(f"{kind}/{place}", value)
    }
    for path, place, value in found:
        top = place.partition("/")[0]
        if hidden and top in {"address", "telecom"}:
            yield Loss(f"{key}/{top}", "dropped", _PROTECTED)
        elif said.citizens and place.endswith("extension(section)/valueCode"):
            yield Loss(f"{key}/{path}", "dropped", _SECTION)
        elif said.citizens and top in _NOT_PLAIN.get(kind, ()):
            yield Loss(f"{key}/{path.partition('/')[0]}", "dropped", _NOT_FOR_CITIZEN)
        elif not _goes_without_saying(kind, top, place, value) and not said.tells(
            f"{kind}/{place}", value
        ):
            concept, coded, _ = path.partition("/coding[")
            if coded and concept in in_words:
                yield Loss(f"{key}/{concept}", "coarsened", _IN_WORDS)
            else:
                yield Loss(f"{key}/{concept}", "dropped", _NO_PLACE)


def _goes_without_saying(kind: str, top: str, place: str, value: Any) -> bool:
    links = top in _TECHNICAL or (kind, top) == ("Organization", "identifier")
    return links or place.endswith(_SILENT) or value in _SAID.get(kind, {}).get(place, ())


def _unprinted(key: str, resource: Resource, unprintable: frozenset[str]) -> Iterator[Loss]:
    for path, value in leaves(resource):
        if isinstance(value, str) and unprintable & set(value):
            reason = "a character that cannot be printed or shown"
            yield Loss(f"{key}/{path}", "coarsened", reason)
