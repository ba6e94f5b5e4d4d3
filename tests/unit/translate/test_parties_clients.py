"""Clients and quotas in the parties file: what is accepted, and what each slip says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.errors import InputRefused, Invalid
from hub.model.client import Client, Quota
from hub.runtime.bootstrap import close
from hub.runtime.parties import operator_entries, party_entries
from hub.runtime.parties_file import PartiesFile, parse_parties
from hub.services.admin import Applied, apply_parties
from tests.api.clients import Machine
from tests.api.world import World, founded
from tests.unit.translate.test_parties_file import ONE, text

KEY = Machine("ehr").jwk
CLIENT: dict[str, Any] = {
    "id": "ehr", "scopes": "system/CarePlan.rs", "jwks": {"keys": [KEY]}, "certificate": "x" * 43,
}  # fmt: skip


def test_a_client_is_read_with_its_public_keys() -> None:
    row = {**ONE, "clients": [CLIENT], "quota": {"documents_a_minute": 0, "bytes_a_day": 5}}
    file = parse_parties(text(row))
    (entry,) = party_entries(file, Path())
    jwks = {"keys": [KEY]}
    wanted = Client("ehr", "party", "unit-a", CLIENT["scopes"], jwks, certificate="x" * 43)
    assert entry.clients == (wanted,)
    assert entry.registered.quota == Quota(0, 5)


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"scopes": "system/CarePlan.sr"}, "clients[0].scopes"),
        ({"scopes": "patient/*.rs"}, "clients[0].scopes"),
        ({"scopes": "system/CarePlan.rs?x=y"}, "clients[0].scopes"),
        ({"scopes": ""}, "clients[0].scopes"),
        ({"id": "a b"}, "clients[0].id"),
        ({"secret": "x"}, "unknown key secret"),
        ({"jwks_url": "https://a.example/jwks"}, "jwks or jwks_url"),
        ({"jwks": {"keys": []}}, "jwks.keys"),
        ({"jwks": {"keys": [KEY | {"d": "x"}]}}, "unknown key d"),
        ({"jwks": {"keys": [KEY | {"crv": "P-256"}]}}, "keys[0].crv"),
        ({"jwks": {"keys": [{k: v for k, v in KEY.items() if k != "kid"}]}}, "keys[0].kid"),
        ({"certificate": "x"}, "clients[0].certificate"),
    ],
)
def test_a_slip_in_a_client_is_named(changed: dict[str, Any], place: str) -> None:
    with pytest.raises(InputRefused) as found:
        parse_parties(text({**ONE, "clients": [CLIENT | changed]}))
    assert place in found.value.text


def test_a_client_is_one_owners_and_a_quota_is_a_number() -> None:
    both = text({**ONE, "clients": [CLIENT]}, operators=[{"id": "o", "name": "O",
                                                          "clients": [CLIENT]}])  # fmt: skip
    with pytest.raises(InputRefused, match="ehr"):
        parse_parties(both)
    for wrong in ({"bytes_a_day": -1}, {"bytes_a_day": "x"}, {"bytes_a_day": True}, {"x": 1}):
        with pytest.raises(InputRefused, match="quota"):
            parse_parties(text({**ONE, "quota": wrong}))


def test_hours_of_silence_are_a_number_of_its_own() -> None:
    for given, wanted in (({}, None), ({"silent_hours": 0}, 0), ({"silent_hours": 96}, 96)):
        (entry,) = party_entries(parse_parties(text({**ONE, **given})), Path())
        assert entry.registered.silent_hours == wanted
    for wrong in (-1, "x", True, 1.5):
        with pytest.raises(InputRefused, match="silent_hours"):
            parse_parties(text({**ONE, "silent_hours": wrong}))


def test_a_key_that_cannot_be_read_is_refused_before_anything_is_done() -> None:
    row = {**ONE, "clients": [CLIENT | {"jwks": {"keys": [KEY | {"x": "AAAA"}]}}]}
    with pytest.raises(Invalid, match="client ehr"):
        party_entries(parse_parties(text(row)), Path())


def applied(world: World, file: PartiesFile) -> Applied:
    return apply_parties(
        world.hub, party_entries(file, Path()), operator_entries(file, Path()), "pdf", by="test"
    )


def test_applying_takes_clients_on_and_off_and_never_from_another(tmp_path: Path) -> None:
    world = founded(tmp_path / "data")
    plain, with_client = parse_parties(text(ONE)), parse_parties(text({**ONE, "clients": [CLIENT]}))
    assert applied(world, with_client).added == ("unit-a",)
    assert applied(world, with_client).unchanged == ("unit-a",)
    other = {**ONE, "id": "unit-b", "identifiers": {"local": "b"}, "clients": [CLIENT]}
    with pytest.raises(Invalid, match="another's"):
        applied(world, parse_parties(text(other)))
    assert applied(world, plain).changed == ("unit-a",)
    with world.hub.store.reading() as work:
        assert work.clients.get("ehr") is None
    close(world.hub)
