"""Acknowledgements and replies from a GP's system: read, refused, or told what is wrong."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.medcom import ADAPTER, acknowledge, urls
from adapters.medcom.narrative import with_narrative
from hub.contract import Adapter, Correspondence, Identifier, Receipt
from hub.errors import HubError, Invalid, Malformed, UnknownCode, Unsupported
from hub.fhir import names
from hub.fhir.codec import dump_json
from hub.mapping import mappings_folder
from tests.unit.medcom.messages import (
    LATER,
    NOW,
    REPLY,
    context,
    copy_bundle,
    first,
    forwarded,
    ids,
    raw,
    rendered,
    reply_to,
)

SAMPLES = mappings_folder(ADAPTER.format) / "samples"
FROM_GP = {Identifier(names.SOR, "999000000305"), Identifier(names.GLN, "5790009900054")}
PRIVATE = ("0201609996", "Nygaard", "Karla", "hash", "Prøveholm")


def answer(code: str = "ok", **kw: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"now": LATER, "id_for": ids("gp")}
    return acknowledge(copy_bundle(), code=code, **(fields | kw))


def parse(bundle: Any, **kw: Any) -> Any:
    return ADAPTER.parse(raw(bundle, **kw), context())


def test_it_is_an_adapter() -> None:
    assert isinstance(ADAPTER, Adapter)
    system = "http://medcomfhir.dk/ig/terminology/CodeSystem/medcom-messaging-eventCodes"
    assert set(ADAPTER.events) == {
        f"{system}|acknowledgement-message",
        f"{system}|care-communication-message",
    }


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("ok", "ok"), ("transient-error", "transient"), ("fatal-error", "permanent")],
)
def test_an_acknowledgement_is_the_receipt_of_the_message_it_names(code: str, outcome: str) -> None:
    bundle = answer(code)
    Bundle.model_validate(bundle)
    receipt = parse(bundle)
    assert isinstance(receipt, Receipt)
    assert (receipt.of, receipt.outcome) == (rendered().message_id, outcome)
    assert set(receipt.claimed_sender) == FROM_GP
    assert bool(receipt.text) == (code != "ok")


def test_an_answer_holds_nothing_of_the_citizen() -> None:
    body = dump_json(answer("fatal-error")).decode()
    assert not any(private in body for private in PRIVATE)


def test_the_reason_comes_from_the_code_and_never_from_free_text() -> None:
    bundle = answer("fatal-error", detail="MSG_VALUESET_VALUE_UNKNOWN")
    issue = first(bundle, "OperationOutcome")["issue"][0]
    issue["details"]["text"] = "Karla Testine Nygaard 0201609996"
    issue["diagnostics"] = "0201609996"
    issue["expression"] = ["Patient 0201609996", "Bundle.entry[2].resource.identifier"]
    receipt = parse(bundle)
    assert receipt.text == "MSG_VALUESET_VALUE_UNKNOWN: En kode er ikke i værdisættet"
    assert receipt.issues[0].code == "code-invalid"
    assert receipt.issues[0].expression == "Bundle.entry[2].resource.identifier"
    issue["details"]["coding"][0]["code"] = "0201609996"
    assert not any(private in repr(parse(bundle)) for private in PRIVATE)


def test_answering_again_gives_a_new_bundle_with_the_same_answer() -> None:
    one, two = answer("ok"), answer("ok", now=NOW)
    assert one["id"] != two["id"]
    assert one["entry"][0]["resource"]["id"] == two["entry"][0]["resource"]["id"]
    assert ADAPTER.fingerprint(raw(one)) == ADAPTER.fingerprint(raw(two))
    changed = answer("transient-error")
    assert changed["entry"][0]["resource"]["id"] != one["entry"][0]["resource"]["id"]
    assert ADAPTER.fingerprint(raw(one)) != ADAPTER.fingerprint(raw(changed))


def test_an_unknown_code_is_not_answered_with() -> None:
    with pytest.raises(UnknownCode):
        answer("AE")
    with pytest.raises(UnknownCode):
        answer("fatal-error", detail="MSG_NONSENSE")


def test_an_acknowledgement_is_never_acknowledged() -> None:
    with pytest.raises(Unsupported, match="KR2"):
        acknowledge(answer(), code="ok", now=LATER, id_for=ids("gp"))
    bundle = answer()
    bundle["entry"][1]["resource"]["activity"]["coding"][0]["code"] = "acknowledgement"
    with pytest.raises(Unsupported, match="KR2"):
        parse(bundle)


def test_a_message_without_what_an_answer_repeats_cannot_be_answered() -> None:
    bundle = copy_bundle()
    bundle["entry"] = bundle["entry"][:1]
    with pytest.raises(Unsupported):
        acknowledge(bundle, code="fatal-error", now=LATER, id_for=ids("gp"))


def test_a_reply_gives_only_what_is_new_and_names_its_thread() -> None:
    found = parse(reply_to(copy_bundle()))
    assert isinstance(found, Correspondence)
    assert found.text == REPLY
    thread = rendered().thread
    assert thread is not None
    assert found.in_reply_to == thread["communication"]
    assert set(found.claimed_sender) == FROM_GP


def test_new_and_forwarded_messages_begin_a_thread() -> None:
    new = parse(copy_bundle())
    assert new.in_reply_to is None
    assert new.text.endswith("[Vedhæftet: Koordinerende indsatsplan]")
    forward = parse(forwarded(copy_bundle()))
    assert forward.in_reply_to is None
    assert forward.text.endswith(REPLY)
    assert "Aftalte indsatser:" in forward.text


@pytest.mark.parametrize("alias", ["http://www.gs1.org/gln", "urn:oid:1.3.88"])
def test_every_name_of_the_gln_system_is_understood(alias: str) -> None:
    body = dump_json(answer()).replace(names.GLN.encode(), alias.encode())
    assert set(parse(body).claimed_sender) == FROM_GP


def test_a_sender_may_use_other_ids_absolute_references_and_another_order() -> None:
    bundle = reply_to(copy_bundle())
    header = bundle["entry"][0]["resource"]["id"]
    body = dump_json(bundle).replace(header.encode(), b"ejklfdsio8klakfd.hjfkdshfjk")
    bundle = json.loads(body)
    bundle["entry"] = [bundle["entry"][0], *reversed(bundle["entry"][1:])]
    sender = bundle["entry"][0]["resource"]["sender"]
    sender["reference"] = f"https://laege-havnegade.example/fhir/{sender['reference']}"
    assert parse(bundle).text == REPLY


def test_a_resend_has_the_same_fingerprint_and_a_change_another() -> None:
    bundle = copy_bundle()
    resend = copy.deepcopy(bundle) | {
        "id": ids("resend")("bundle"),
        "timestamp": "2026-09-16T09:00:00Z",
    }
    provenance = first(resend, "Provenance")
    provenance |= {"occurredDateTime": "2026-09-16T09:00:00Z", "recorded": "2026-09-16T09:00:00Z"}
    provenance["text"] = with_narrative(provenance)["text"]
    resend["entry"] = [resend["entry"][0], *reversed(resend["entry"][1:])]
    first_print = ADAPTER.fingerprint(raw(bundle))
    assert ADAPTER.fingerprint(raw(resend)) == first_print
    first(resend, "Communication")["payload"][0]["contentString"] += "."
    assert ADAPTER.fingerprint(raw(resend)) != first_print
    assert ADAPTER.fingerprint(raw(b"\xff")) != ADAPTER.fingerprint(raw(b"\xfe"))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", Malformed),
        (b"[]", Malformed),
        (b'{"a": 1}', Malformed),
        (b'{"resourceType": "Patient"}', Unsupported),
        (b'{"resourceType": "Bundle"}', Invalid),
        (b'{"resourceType": "Bundle", "entry": [null, 3]}', Invalid),
    ],
)
def test_what_is_no_message_is_refused(body: bytes, error: type[HubError]) -> None:
    with pytest.raises(error):
        parse(body)


def test_another_event_is_unsupported() -> None:
    bundle = copy_bundle()
    bundle["entry"][0]["resource"]["eventCoding"]["code"] = "hospital-notification-message"
    with pytest.raises(Unsupported):
        parse(bundle)


def test_all_findings_come_at_once() -> None:
    bundle = reply_to(copy_bundle())
    first(bundle, "Communication")["status"] = "completed"
    first(bundle, "Practitioner")["name"][0].pop("given")
    del bundle["entry"][0]["resource"]["definition"]
    with pytest.raises(Invalid) as e:
        parse(bundle)
    assert len(e.value.issues) == 3


JUNK = st.sampled_from(
    [None, 3, True, "x", "Organization/x", [], {}, [[]], [None], [{}], {"a": []}]
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        if isinstance(inner, dict | list):
            found += _places(inner, (*path, key))
        else:
            found.append((*path, key))
    return found


BASES = [reply_to(copy_bundle()), answer("fatal-error")]


@pytest.mark.parametrize("base", BASES)
def test_a_resource_of_no_type_is_told_by_its_place(base: dict[str, Any]) -> None:
    """Whatever stands there, it is not repeated, and it stops nobody."""
    bundle = copy.deepcopy(base)
    for entry in bundle["entry"][1:]:
        entry["resource"]["resourceType"] = "x y"
    with pytest.raises(HubError) as refused:
        parse(bundle)
    said = f"{refused.value} {refused.value.issues}"
    assert "Bundle.entry[1].resource" in said
    assert "x y" not in said


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_garbled_message_is_read_or_refused_and_nothing_leaks(data: st.DataObject) -> None:
    bundle = copy.deepcopy(data.draw(st.sampled_from(BASES)))
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(_places(bundle)))
        here: Any = bundle
        for step in above:
            here = here[step]
        # A copy: the next round may write into it, and the strategy must stay as it is.
        here[last] = copy.deepcopy(data.draw(JUNK))
    for use in (parse, lambda b: acknowledge(b, code="ok", now=LATER, id_for=ids("gp"))):
        try:
            use(bundle)
        except HubError as e:
            said = f"{e} {e.issues}"
            assert not any(private in said for private in PRIVATE)


def test_the_samples_are_what_the_code_makes() -> None:
    made = {
        "rendered": copy_bundle(),
        "ack-ok": answer("ok"),
        "ack-transient": answer("transient-error"),
        "ack-fatal": answer("fatal-error", detail="MSG_VALUESET_VALUE_UNKNOWN"),
        "reply": reply_to(copy_bundle()),
    }
    # The PDF's bytes differ between versions of the typesetter; everything else is fixed.
    assert set(made) == {f.stem for f in SAMPLES.glob("*.json")}
    for name, bundle in made.items():
        stored = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
        assert parse(stored)
        assert _without_data(stored) == _without_data(bundle)


def _without_data(bundle: dict[str, Any]) -> dict[str, Any]:
    if bundle["meta"]["profile"] != [urls.CC_MESSAGE]:
        return bundle
    for payload in first(bundle, "Communication")["payload"]:
        payload.get("contentAttachment", {}).pop("data", None)
    return bundle
