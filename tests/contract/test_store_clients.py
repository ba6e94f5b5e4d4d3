"""Machine clients and counted intake, in both databases."""

from __future__ import annotations

from datetime import timedelta

from hub.model.client import Client
from hub.store.clients import DAY, MINUTE
from hub.store.work import Store
from tests.contract.store_cases import NOW, PSYK, RUS, together

KEYS = {"keys": [{"kty": "EC", "kid": "a"}]}
EHR = Client("ehr", "party", PSYK, "system/Goal.rs", KEYS, certificate="x" * 43)
LAB = Client("lab", "party", PSYK, "system/Goal.r", jwks_url="https://lab.example/jwks")


def saved(store: Store, *clients: Client) -> None:
    with store.writing() as work:
        work.clients.save("party", PSYK, clients)
        work.commit()


def test_a_partys_clients_are_those_that_were_written_last(store: Store) -> None:
    saved(store, LAB, EHR)
    with store.reading() as work:
        assert work.clients.of("party", PSYK) == (EHR, LAB)
        assert work.clients.of("operator", PSYK) == work.clients.of("party", RUS) == ()
    saved(store, EHR)
    with store.reading() as work:
        assert work.clients.get("lab") is None
        assert work.clients.get("ehr") == EHR


def test_of_two_at_once_one_uses_an_assertion(store: Store) -> None:
    saved(store, EHR)

    def use() -> bool:
        with store.writing() as work:
            first = work.clients.use("ehr", "a" * 64, NOW)
            work.commit()
        return first

    assert sorted(together(use, use)) == [False, True]
    with store.writing() as work:
        work.clients.forget(NOW + timedelta(seconds=1))
        assert work.clients.use("ehr", "a" * 64, NOW)
        work.commit()
    # A client that is taken off takes what it used along.
    saved(store)


def test_intake_is_counted_by_the_minute_and_by_the_day(store: Store) -> None:
    def count(seconds: float) -> tuple[int, int]:
        with store.writing() as work:
            found = work.clients.count(PSYK, 10, NOW + timedelta(seconds=seconds))
            work.commit()
        return found[MINUTE][0], found[DAY][1]

    assert [count(s) for s in (0, 59, 60, 119, 86_399, 86_400)] == [
        (1, 10), (2, 20), (1, 30), (2, 40), (1, 50), (2, 10),
    ]  # fmt: skip
    with store.writing() as work:
        assert work.clients.count(RUS, 7, NOW)[DAY][:2] == (1, 7)
