"""A code that its format does not have is refused, or told, wherever it stands.

Each sample of each readable format, with one coded place at a time changed to a code that exists
nowhere: refused with that place, or accepted with a loss, a declaration or a warning that names
it. One place of each kind (the same path, code system and profile) is tried, and every place with
``KI_HUB_TEST_FULL``. What is accepted must still be fit to be shown.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from hub.contract import Audience, Decision, Parsed, PlanUpdate, PlanView, Receipt
from hub.errors import CannotRender, InputRefused, Issue
from hub.fhir import names
from hub.fhir.kinds import declaring
from hub.model.consent import read_consent
from tests.contract.adapter_samples import (
    REGISTRY,
    Sample,
    adapter_of,
    context,
    loaded,
    read,
    samples,
    sender_of,
)
from tests.contract.coded_places import UNKNOWN, Place, distinct, places
from tests.views import VALIDATOR, find_party, parties

FULL = os.environ.get("KI_HUB_TEST_FULL") == "1"
INBOUND = loaded(samples())
KEPT = {
    ("fhir", "Consent.extension.extension.value holds-back"): "a role or a party's id, which only "
    "the register knows; tests/api/test_decisions.py has its refusal",
}
"""Format and kind of a place where any code is accepted, and why."""


@cache
def understood(sample: Sample) -> Parsed | None:
    """What the sample says; None for one that stands alone, such as a Goal."""
    try:
        return read(sample)
    except InputRefused:
        return None


DOCUMENTS = [s for s in INBOUND if understood(s) is not None]
HUB_MADE = ("audit-event", "provenance")
"""The hub's own record of who did what; what others send of the kind is a declared loss."""
ALONE = [
    s
    for s in INBOUND
    if s.format == "fhir" and understood(s) is None and not s.file.stem.startswith(HUB_MADE)
]
WAYS = [(s, False) for s in DOCUMENTS] + [(s, True) for s in DOCUMENTS if s.format == "vum"]
each_way = pytest.mark.parametrize(
    ("sample", "as_xml"), WAYS, ids=[f"{s.name}{'-as-xml' if x else ''}" for s, x in WAYS]
)


def tried(sample: Sample, *, as_xml: bool = False) -> list[Place]:
    found = places(sample, as_xml=as_xml)
    return list(found) if FULL else distinct(found)


def told(place: Place, said: str | None) -> bool:
    """A path that was told is the place, or what is around it."""
    wanted = {_plain(place.path), _plain(place.written)}
    path = _plain(said or "")
    return any(w == path or w.startswith((f"{path}.", f"{path}[", f"{path}/")) for w in wanted)


def _plain(path: str) -> str:
    """A FHIRPath; or an XPath, without the line before it and the number of a first element."""
    return path[path.find("/") :].replace("[1]", "") if "/" in path else path


def refusals(sample: Sample, place: Place) -> tuple[Parsed | None, tuple[Issue, ...]]:
    """What the document is understood as, or the issues it is refused with."""
    try:
        found = read(sample, sender_of(sample), place.body())
        if isinstance(found, Decision) and names.KI_CONSENT in found.resource["meta"]["profile"]:
            read_consent(found.resource, find_party)
    except InputRefused as refused:
        return None, refused.issues
    return found, ()


def silent(sample: Sample, place: Place) -> bool:
    """The code is taken as if it were known."""
    found, issues = refusals(sample, place)
    if found is None:
        assert UNKNOWN not in repr(issues)
        return not any(i.code and told(place, i.expression) for i in issues)
    if any(sample.format == f and place.kind.startswith(k) for f, k in KEPT):
        return False
    if isinstance(found, Receipt):
        # An answer is worth more than its form: what it says beyond its response is not read, or
        # shown as not listed.
        return replace(found, issues=(), text="") != replace(understood(sample), issues=(), text="")
    named = [i.expression for i in getattr(found, "issues", ())]
    named += [x.path for x in (*getattr(found, "losses", ()), *getattr(found, "not_shared", ()))]
    return not any(told(place, path) for path in named)


def test_no_readable_format_is_forgotten() -> None:
    assert {s.format for s in INBOUND} == {s.format for s in DOCUMENTS}


@each_way
def test_an_unknown_code_is_refused_or_told(sample: Sample, as_xml: bool) -> None:
    found = tried(sample, as_xml=as_xml)
    assert found
    assert [p.path for p in found if silent(sample, p)] == []


@pytest.mark.parametrize("sample", ALONE, ids=lambda s: s.name)
def test_an_unknown_code_in_a_resource_by_itself_is_an_error(sample: Sample) -> None:
    """As it comes in over the FHIR interface: held to the profile of its kind."""
    for place in tried(sample):
        issues = VALIDATOR.check([declaring(json.loads(place.body()))])
        assert any(told(place, i.expression) for i in issues if i.severity == "error"), place.path


def shown(sample: Sample, update: PlanUpdate) -> dict[str, bool]:
    """Whether each page that people read can be made of an update, for each audience."""
    made = {}
    plan = update.resources[0]["id"]
    view = PlanView(
        plan_id=plan,
        version=1,
        resources={f"{r['resourceType']}/{r['id']}": r for r in update.resources},
        approved=False,
        lead=None,
        own_part=None if update.part == "shared" else f"CarePlan/{plan}",
    )
    audiences: tuple[Audience, ...] = ("party", "citizen")
    for format, audience in ((f, a) for f in ("pdf", "html") for a in audiences):
        adapter, sender = adapter_of(format), sender_of(sample)
        assert adapter is not None
        given = context(sender, printer=REGISTRY.printer())
        try:
            adapter.render(replace(view, audience=audience), parties()["koord-havneby"], given)
        except CannotRender:
            made[f"{format} {audience}"] = False
        else:
            made[f"{format} {audience}"] = True
    return made


@each_way
def test_what_is_accepted_can_be_shown(sample: Sample, as_xml: bool) -> None:
    as_sent = understood(sample)
    if not isinstance(as_sent, PlanUpdate):
        return
    wanted = shown(sample, as_sent)
    assert as_sent.part != "shared" or all(wanted.values())
    for place in tried(sample, as_xml=as_xml):
        found: Any = refusals(sample, place)[0]
        if found is not None and found != as_sent:
            assert shown(sample, found) == wanted, place.path
