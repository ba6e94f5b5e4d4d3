"""The parties file: the demo's is read, and every slip is named with file and key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hub.cli.document import DEMO_PARTIES
from hub.errors import InputRefused
from hub.model.agreement import Agreement, Agreements, read_agreement
from hub.runtime.parties_file import parse_parties, read_parties
from tests.views import parties

ONE = {
    "id": "unit-a",
    "name": "Enhed A",
    "kind": "gp",
    "organisation": "A",
    "identifiers": {"sor": "999000000901"},
    "endpoint": {"transport": "mailbox"},
}


def text(*rows: dict[str, object], **more: object) -> str:
    return yaml.safe_dump({"parties": list(rows), "citizen": {"format": "pdf"}, **more})


def test_the_demo() -> None:
    found = read_parties(DEMO_PARTIES)
    assert {e.party.id: e.party for e in found.parties} == parties()
    assert [o.id for o in found.operators] == ["drift"]
    assert found.citizen_format == "pdf"
    first = found.parties[0]
    assert (first.endpoint.transport, first.endpoint.address) == ("amqp", None)
    assert [s.format for s in first.subscriptions] == ["behandlingsplan"]
    assert found.parties[2].subscriptions[0].versions == "every-version"


def test_defaults() -> None:
    found = parse_parties(text(ONE | {"subscriptions": [{"format": "fhir"}]})).parties[0]
    subscription = found.subscriptions[0]
    assert (subscription.content, subscription.versions, subscription.receipt) == (
        "plan", "latest", True,
    )  # fmt: skip
    assert found.credential is None


def test_what_is_not_agreed_otherwise_is_as_strict_as_can_be() -> None:
    usual = parse_parties(text(ONE)).agreements.usual
    assert usual == Agreement(frozenset({"gp", "receiver"}), minors=False, reminder_days=30)
    said = {"approval_gates": ["professional"], "minors": True, "consent_reminder_days": 60}
    wider = parse_parties(text(ONE, agreement=said)).agreements.usual
    assert wider == Agreement(frozenset({"gp", "receiver", "professional"}), True, 60)
    assert parse_parties(text(ONE, agreement={"approval_gates": "all"})).agreements.usual == (
        Agreement("all")
    )
    assert read_agreement(wider.written()) == wider


def test_a_unit_may_be_under_another_agreement() -> None:
    named = [{"id": "unge", "minors": True}, {"id": "taet", "approval_gates": "all"}]
    other = ONE | {"id": "unit-b", "identifiers": {"sor": "999000000902"}, "agreement": "unge"}
    found = parse_parties(text(ONE, other, agreements=named)).agreements
    assert found == Agreements(own={"unit-b": Agreement(minors=True, name="unge")})
    assert found.of("unit-a") == Agreement()
    assert read_agreement(found.of("unit-b").written()) == found.of("unit-b")


@pytest.mark.parametrize(
    ("named", "place"),
    [
        ([{"id": "unge"}, {"id": "unge"}], r"agreements\[1\]"),
        ([{"id": "unge", "minor": True}], "unknown key minor"),
        ([{"id": "andre"}], r"parties\[0\].agreement: no such id under agreements; known: andre"),
        ([], r"parties\[0\].agreement"),
    ],
)
def test_an_agreement_that_nobody_wrote_is_refused(named: list[object], place: str) -> None:
    with pytest.raises(InputRefused, match=place):
        parse_parties(text(ONE | {"agreement": "unge"}, agreements=named))


@pytest.mark.parametrize(
    "said",
    [{"approval_gates": []}, {"approval_gates": ["lead"]}, {"approval_gates": ["coordinator"]},
     {"minors": "yes"}, {"consent_reminder_days": 0}, {"consent_reminder_days": 366}, {"x": 1}],
)  # fmt: skip
def test_an_agreement_that_would_say_something_else_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(InputRefused, match="agreement"):
        parse_parties(text(ONE, agreement=said))


@pytest.mark.parametrize(
    "credential", [{"sha256": "a" * 64}, {"env": "SECRET_A"}, {"file": "/run/secrets/a"}]
)
def test_credentials_name_where_the_secret_is(credential: dict[str, str]) -> None:
    found = parse_parties(text(ONE | {"credential": credential})).parties[0].credential
    assert found is not None
    assert {found.source: found.value} == credential
    assert found.value not in repr(found)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("- a", "top"),
        ("a: 1\nb: [", "line"),
        ("parties: 3", "parties"),
        ("parties: []\nextra: 1", "extra"),
        ("parties: []\nparties: []", "twice"),
        (text({**ONE, "id": "Enhed A"}), "parties[0].id"),
        (text({**ONE, "color": "red"}), "color"),
        (text({k: v for k, v in ONE.items() if k != "name"}), "parties[0].name"),
        (text({**ONE, "name": 3}), "parties[0].name"),
        (text({**ONE, "identifiers": {"sor": 999}}), "parties[0].identifiers.sor"),
        (text({**ONE, "identifiers": {"sor": "A"}}), "parties[0].identifiers.sor"),
        (text({**ONE, "identifiers": {"cvr": "99990015"}}), "parties[0].identifiers"),
        (text({**ONE, "identifiers": {"ean": "1"}}), "ean"),
        (text({**ONE, "endpoint": {}}), "parties[0].endpoint.transport"),
        (text({**ONE, "endpoint": "amqp"}), "parties[0].endpoint"),
        (text({**ONE, "subscriptions": [{"format": "fhir", "receipt": "ja"}]}),
         "parties[0].subscriptions[0].receipt"),
        (text({**ONE, "subscriptions": [{"format": "fhir", "unacceptable_losses": ["lost"]}]}),
         "parties[0].subscriptions[0].unacceptable_losses"),
        (text({**ONE, "subscriptions": [{"format": "fhir", "versions": "all"}]}),
         "parties[0].subscriptions[0].versions"),
        (text({**ONE, "credential": {"sha256": "x"}}), "parties[0].credential.sha256"),
        (text({**ONE, "credential": {"env": "A", "file": "b"}}), "parties[0].credential"),
        (text({**ONE, "credential": {"plain": "x"}}), "plain"),
        (text(ONE, ONE), "unit-a"),
        (text(ONE, {**ONE, "id": "unit-b"}), "999000000901"),
        (text(ONE, operators=[{"id": "unit-a", "name": "x"}]), "unit-a"),
        (text(ONE, operators=[{"id": "o"}]), "operators[0].name"),
        (text(ONE, citizen={"form": "pdf"}), "citizen"),
        (text(ONE, citizen={}), "citizen.format"),
        (yaml.safe_dump({"parties": [ONE]}), "citizen"),
    ],
)  # fmt: skip
def test_slips(content: str, place: str) -> None:
    with pytest.raises(InputRefused) as found:
        parse_parties(content, name="mine.yaml")
    assert str(found.value).startswith("mine.yaml")
    assert place in str(found.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"none\.yaml"):
        read_parties(tmp_path / "none.yaml")


def test_what_a_party_subscribes_to_is_one_of_three() -> None:
    for content in ("plan", "notice", "koordinationsplan"):
        rows = [{"content": content, "format": "fhir"}]
        (found,) = parse_parties(text(ONE | {"subscriptions": rows})).parties
        assert found.subscriptions[0].content == content
    with pytest.raises(InputRefused, match=r"subscriptions\[0\]\.content"):
        parse_parties(text(ONE | {"subscriptions": [{"content": "handleplan", "format": "fhir"}]}))
