"""What every adapter promises (hub.contract.Adapter), on every registered one.

Samples: ``samples/`` beside the adapter's tables and, for the canonical format, the published
examples. ``KI_HUB_SUITE`` names the formats to hold to it, such as one of a package of its own.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.contract import (
    Adapter,
    Notice,
    Parsed,
    PlanUpdate,
    PlanView,
    RawMessage,
    Receipt,
    Rendered,
    SourceDocument,
)
from hub.errors import CannotRender, HubError, InputRefused, Unsupported
from hub.fhir.bundles import references
from hub.fhir.outcome import ISSUE_TYPES
from tests.contract.adapter_samples import (
    NOW,
    REGISTRY,
    Sample,
    adapter_of,
    context,
    formats,
    loaded,
    message,
    private_values,
    read,
    resources_of,
    samples,
    sender_of,
)
from tests.views import PLAN_1, PLAN_2, errors_in, parties, view_of

INBOUND = loaded(samples())
FORMATS = [f for f in formats() if adapter_of(f) is not None]

each_sample = pytest.mark.parametrize("sample", INBOUND, ids=lambda s: s.name)
each_format = pytest.mark.parametrize("format", FORMATS)


@cache
def understood(sample: Sample) -> Parsed | None:
    """What the sample says; None where its adapter refuses it."""
    try:
        return read(sample)
    except InputRefused:
        return None


UNDERSTOOD = [s for s in INBOUND if understood(s) is not None]
PLANS = [s for s in INBOUND if isinstance(understood(s), PlanUpdate)]
each_understood = pytest.mark.parametrize("sample", UNDERSTOOD, ids=lambda s: s.name)
each_plan = pytest.mark.parametrize("sample", PLANS, ids=lambda s: s.name)


def update_of(sample: Sample) -> PlanUpdate:
    found = understood(sample)
    assert isinstance(found, PlanUpdate)
    return found


@pytest.mark.parametrize("format", formats())
def test_loads_and_is_an_adapter(format: str) -> None:
    adapter = REGISTRY.adapter(format)
    assert isinstance(adapter, Adapter)
    assert adapter.format == format
    assert all(e.count("|") == 1 for e in adapter.events)


def test_no_event_has_two_adapters() -> None:
    events = [e for f in FORMATS for e in adapter_of(f).events]  # type: ignore[union-attr]
    assert len(events) == len(set(events))


@each_format
def test_inbound_formats_have_samples(format: str) -> None:
    adapter = adapter_of(format)
    assert adapter is not None
    if not adapter.media_types:
        sender = next(iter(parties().values()))
        raw = RawMessage(sender, format, b"{}", "text/plain", "m", NOW)
        with pytest.raises(Unsupported):
            adapter.parse(raw, context(sender))
        assert not [s for s in INBOUND if s.format == format], "samples that nobody reads"
        return
    own = [s for s in INBOUND if s.format == format]
    assert [s for s in own if understood(s) is not None], "no sample is understood"


@each_sample
def test_parse_is_repeatable(sample: Sample) -> None:
    found = understood(sample)
    if found is None:
        with pytest.raises(InputRefused) as first:
            read(sample)
        with pytest.raises(InputRefused) as second:
            read(sample)
        assert first.value.issues == second.value.issues
        return
    assert read(sample) == found


@each_plan
def test_a_plan_comes_first_and_everything_leads_somewhere(sample: Sample) -> None:
    update = update_of(sample)
    assert update.resources[0]["resourceType"] == "CarePlan"
    keys = [f"{r['resourceType']}/{r['id']}" for r in update.resources]
    assert len(set(keys)) == len(keys)
    for resource in update.resources:
        assert str(uuid.UUID(resource["id"])) == resource["id"]
        for place, reference in references(resource, resource["resourceType"]):
            assert reference in keys, place
    assert [k for k in keys if k.startswith("Patient/")]
    assert update.citizen.identifiers
    assert update.part


@each_understood
def test_content_is_legal_r4(sample: Sample) -> None:
    found = understood(sample)
    assert found is not None
    assert errors_in(*resources_of(found)) == []


@each_plan
def test_places_are_those_of_the_team_where_the_plan_is_the_shared_one(sample: Sample) -> None:
    update = update_of(sample)
    keys = {f"{r['resourceType']}/{r['id']}" for r in update.resources}
    teams = [r for r in update.resources if r["resourceType"] == "CareTeam"]
    if update.part != "shared":
        return
    assert teams
    for team in teams:
        key = f"CareTeam/{team['id']}"
        assert key in keys
        for i, _ in enumerate(team["participant"]):
            place = update.places.get(f"{key}#participant[{i}]") or update.places[key]
            assert place
            assert team["id"] not in place


@each_plan
def test_issues_and_losses_name_places_only(sample: Sample) -> None:
    update = update_of(sample)
    said = [(i.text, i.expression) for i in update.issues]
    said += [(x.path, x.reason) for x in (*update.losses, *update.not_shared)]
    for value in private_values(update):
        assert value not in repr(said)
    assert {i.code for i in update.issues} <= ISSUE_TYPES
    assert {x.kind for x in update.losses} <= {"dropped", "coarsened", "defaulted", "reordered"}


@each_plan
def test_the_citizen_is_not_renamed_by_the_channel(sample: Sample) -> None:
    """Ids depend on the sender, content does not."""
    update = update_of(sample)
    other = next(p for p in parties().values() if p != sender_of(sample))
    again = read(sample, other)
    assert isinstance(again, PlanUpdate)
    assert (again.part, again.case, again.citizen) == (update.part, update.case, update.citizen)
    assert again.claimed_sender == update.claimed_sender


@each_sample
def test_a_resend_has_the_same_fingerprint_and_a_change_another(sample: Sample) -> None:
    adapter, sender = adapter_of(sample.format), sender_of(sample)
    assert adapter is not None
    original = message(sample, sender)
    resent = replace(original, received_at=NOW.replace(year=2027))
    assert adapter.fingerprint(original) == adapter.fingerprint(resent)
    for changed in _changes(sample):
        assert adapter.fingerprint(original) != adapter.fingerprint(
            message(sample, sender, changed)
        )


def _changes(sample: Sample) -> list[bytes]:
    """The sample with one letter of its running text changed, for up to five texts."""
    found = understood(sample)
    texts = sorted(private_values(found)) if found is not None else []
    body = sample.body
    made = []
    for text in texts:
        if text.isdigit() or body.count(text.encode()) != 1:
            continue
        made.append(body.replace(text.encode(), f"{text}X".encode()))
    return made[:5]


_CUTS = st.floats(0, 1)
_FLIPS = st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), min_size=1, max_size=3)


@each_sample
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(damage=st.one_of(_CUTS, _FLIPS))
def test_damaged_documents_are_refused_without_a_value(sample: Sample, damage: Any) -> None:
    body = _damaged(sample.body, damage)
    adapter, sender = adapter_of(sample.format), sender_of(sample)
    assert adapter is not None
    assert adapter.fingerprint(message(sample, sender, body))
    error = _refusal(sample, body)
    if error is None:
        return
    assert isinstance(error, InputRefused)
    said = repr((error.text, str(error), [(i.text, i.expression) for i in error.issues]))
    found = understood(sample)
    for value in private_values(found) if found is not None else ():
        assert value not in said


def _refusal(sample: Sample, body: bytes) -> HubError | None:
    """The error the damaged document is refused with; any other exception passes through."""
    try:
        read(sample, sender_of(sample), body)
    except HubError as e:
        return e
    return None


def _damaged(body: bytes, damage: float | list[tuple[float, int]]) -> bytes:
    if isinstance(damage, float):
        return body[: int(len(body) * damage)]
    made = bytearray(body)
    for where, mask in damage:
        made[int(len(made) * where)] ^= mask
    return bytes(made)


def rendered(format: str, content: PlanView | Notice | Receipt, **changes: Any) -> Rendered | None:
    """Rendered twice, equal; None for what the format cannot carry, refused both times."""
    adapter = adapter_of(format)
    assert adapter is not None
    known = parties()
    receiver = changes.pop("receiver", known["social-havneby"])
    given_context = context(known["rus-havneby"], printer=REGISTRY.printer(), **changes)
    try:
        made = adapter.render(content, receiver, given_context)
    except CannotRender:
        with pytest.raises(CannotRender):
            adapter.render(content, receiver, given_context)
        return None
    assert adapter.render(content, receiver, given_context) == made
    assert made.body
    if adapter.media_types:
        assert made.media_type == adapter.media_types[0]
    return made


@each_format
@pytest.mark.parametrize("plan", [PLAN_1, PLAN_2], ids=["plan-1", "plan-2"])
@pytest.mark.parametrize("receiver", ["social-havneby", "laege-havnegade", "psyk-nordstrand"])
def test_plans_are_rendered_the_same_each_time(format: str, plan: str, receiver: str) -> None:
    view = view_of(plan)
    made = rendered(format, view, receiver=parties()[receiver])
    paths = [x.path for x in made.losses] if made else []
    for resource in view.resources.values():
        if resource["resourceType"] == "Patient":
            assert resource["identifier"][0]["value"] not in repr(paths)


@each_format
def test_notices_hold_nothing_of_the_plan(format: str) -> None:
    notice = Notice(str(uuid.uuid4()), "consent-withdrawn", "Samtykket er trukket tilbage")
    made = rendered(format, notice)
    assert made is None or b"0201609996" not in made.body


@each_plan
def test_an_owner_gets_its_own_document_back_the_same_each_time(sample: Sample) -> None:
    update = update_of(sample)
    adapter, sender = adapter_of(sample.format), sender_of(sample)
    assert adapter is not None
    first = update.resources[0]
    own = None if update.part == "shared" else f"CarePlan/{first['id']}"
    view = PlanView(
        plan_id=first["id"],
        version=2,
        resources={f"{r['resourceType']}/{r['id']}": r for r in update.resources},
        approved=False,
        lead=None,
        own=SourceDocument(sample.format, sample.body, adapter.media_types[0]),
        own_part=own,
    )
    rendered(sample.format, view, receiver=sender)
