"""Nothing is lost in silence: each text of a plan stands in what is made of it, or is a loss.

Every text of the fullest sample, beside another sector's plan, becomes a word of its own; each
format renders that once. Codes, dates and numbers change their form on the way out, so each
format's own tests hold those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from hub.contract import PlanUpdate, PlanView, SourceDocument
from hub.fhir import names
from hub.fhir.extract import placed
from hub.ports import audiences_of
from tests.contract.adapter_samples import REGISTRY, Sample, adapter_of, context, formats, read
from tests.full_views import answer, with_sector_plan
from tests.views import ROOT, parties

_PLAN = Sample("ki-plan-xml", ROOT / "mappings/ki-plan-xml/samples/everything.xml")
_OWNERS = {
    "behandlingsplan": "typical.xml", "handleplan-141": "typical.xml",
    "udskrivningsaftale": "typical.xml", "vum": "order-minimal.json",
}  # fmt: skip
_WITH_PDF = {"medcom-carecommunication"}
_TEXT = re.compile(r"(^|/)(text|display|description|name|valueString|line|city)$")
"""A given and a family name are parts of the name's text; some formats name the citizen so."""
_MARK = re.compile(r"Qz[0-9]{4}zq")
"""No word of any language, with a capital as a name has."""


def test_the_check_itself_finds_what_is_missing() -> None:
    path, place = "extension[1]/extension[0]/valueString", "extension(proposal)/extension(by)/x"
    assert _named("CarePlan/p", path, place, {}, {"CarePlan.p.extension(proposal)"})
    assert _named("CarePlan/p", path, place, {}, {"CarePlan.p"})
    assert not _named("CarePlan/p", path, place, {}, {"CarePlan.p.extension[2]", "CarePlan.px"})


@pytest.mark.parametrize("format", [f for f in formats() if f not in {"pdf", "ki-notice"}])
def test_every_text_is_said_or_is_a_named_loss(format: str) -> None:
    """The PDF says what the page says, with the same losses: held by tests of its own."""
    adapter = adapter_of(format)
    assert adapter is not None
    theirs = format in {"behandlingsplan", "udskrivningsaftale"}
    receiver = parties()["psyk-nordstrand" if theirs else "social-havneby"]
    for view, marks in _views(format, audiences_of(adapter)):
        given = context(parties()["rus-havneby"], printer=REGISTRY.printer())
        made = adapter.render(view, receiver, given)
        said = set(_MARK.findall(made.body.decode("utf-8")))
        # What is coarsened is said in another way; only MedCom's may be in its PDF.
        unsaid = {"dropped", "coarsened"} if format in _WITH_PDF else {"dropped"}
        losses = {_plain(x.path) for x in made.losses if x.kind in unsaid}
        silent = [
            f"{key}: {path}"
            for mark, (key, path, place) in marks.items()
            if mark not in said and not _named(key, path, place, view.resources[key], losses)
        ]
        assert not silent
        assert len(said) > 15, "the page is nearly empty"


def _views(format: str, audiences: tuple[Any, ...]) -> Iterator[tuple[PlanView, Marks]]:
    update = read(_PLAN)
    assert isinstance(update, PlanUpdate)
    name = _OWNERS.get(format)
    file = ROOT / "mappings" / format / "samples" / (name or "")
    own = SourceDocument(format, file.read_bytes(), _media(format)) if name else None
    first = update.resources[0]
    shared = {f"{r['resourceType']}/{r['id']}": r for r in update.resources}
    plan = PlanView(
        plan_id=first["id"], version=3, resources=shared, approved=False,
        lead=parties()["rus-havneby"], own=own, approval=answer(),
    )  # fmt: skip
    _hold_another_meeting(shared)
    for audience in audiences:
        marks: Marks = {}
        resources = {
            key: _marked(r, key, marks) for key, r in with_sector_plan(plan).resources.items()
        }
        yield replace(plan, resources=resources, audience=audience), marks


def _hold_another_meeting(resources: dict[str, Any]) -> None:
    key = next(k for k in resources if k.startswith("Appointment/"))
    id = "0f0e5d4c-7e2b-4f5a-9d57-2b1a5c3d7e01"
    date = {"url": names.MEETING_DATE, "valueDate": "2027-01-11"}
    later = {k: v for k, v in resources[key].items() if k not in {"start", "end"}}
    resources[f"Appointment/{id}"] = later | {"id": id, "extension": [date]}
    plan = next(r for r in resources.values() if r["resourceType"] == "CarePlan")
    plan["supportingInfo"] = [*plan["supportingInfo"], {"reference": f"Appointment/{id}"}]


Marks = dict[str, tuple[str, str, str]]
"""Each word to the resource, the path and the place it stands in."""


def _marked(resource: Any, key: str, marks: Marks) -> Any:
    places = {path: place for path, place, _ in placed(resource)}

    def copy(value: Any, path: str) -> Any:
        if isinstance(value, Mapping):
            return {k: copy(v, f"{path}/{k}" if path else k) for k, v in value.items()}
        if isinstance(value, list):
            return [copy(v, f"{path}[{i}]") for i, v in enumerate(value)]
        place = places.get(path, "")
        if key.startswith("Patient/") and path.startswith("name"):
            return value
        if not isinstance(value, str) or not _TEXT.search(re.sub(r"\[\d+\]$", "", place)):
            return value
        mark = f"Qz{len(marks):04d}zq"
        marks[mark] = key, path, place
        return f"{mark} Prøve" if path == "practitioner/display" else mark

    return copy(resource, "")


def _named(key: str, path: str, place: str, resource: Mapping[str, Any], losses: set[str]) -> bool:
    """A loss names the leaf, or something that it is in; a path may leave out the numbers."""
    ways = {_plain(f"{key}/{path}"), _plain(f"{key}/{place}"), _plain(key)}
    ways.add(re.sub(r"\[\d+\]", "", _plain(f"{key}/{path}")))
    for i, activity in enumerate(resource.get("activity", ())):
        at = f"activity[{i}]/"
        if path.startswith(at):
            ways.add(_plain(f"{key}#activity.{activity['id']}/{path.removeprefix(at)}"))
    return any(w == x or w.startswith((f"{x}.", f"{x}[")) for w in ways for x in losses)


def _plain(path: str) -> str:
    return path.replace("/", ".").replace(".detail.", ".").replace("(ki-", "(")


def _media(format: str) -> str:
    adapter = adapter_of(format)
    assert adapter is not None
    return adapter.media_types[0]
