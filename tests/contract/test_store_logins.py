"""Logins of the console, on SQLite and on PostgreSQL: one database, any number of processes."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.model.session import Session
from hub.ports import Begun
from hub.store.logins import Waiting
from hub.store.work import Store
from tests.bench.counting import counting
from tests.contract.store_cases import NOW, committed, together

MINUTE = timedelta(minutes=1)
DRIFT = Session("operator", "Drift", NOW, NOW, frozenset({"operator", "auditor"}))
TOVE = Session("party", "rus", NOW + MINUTE, NOW + MINUTE, frozenset({"lead"}), "Tove")


def waiting(at: datetime, state: str = "s") -> Waiting:
    return Waiting(Begun("https://provider.example/", state, "n", "v"), "party", "/x", at)


def test_a_session_is_found_as_it_was_written_and_closed_for_good(store: Store) -> None:
    with committed(store) as work:
        work.logins.open("a", DRIFT)
        work.logins.open("b", TOVE)
    with committed(store) as work:
        assert (work.logins.find("a"), work.logins.find("b")) == (DRIFT, TOVE)
        assert work.logins.find("c") is None
        work.logins.use("b", NOW + 2 * MINUTE)
        work.logins.close("a")
        work.logins.close("a")
    with committed(store) as work:
        work.logins.use("a", NOW + MINUTE)
        assert work.logins.find("a") is None, "what is closed is not opened by being used"
        found = work.logins.find("b")
        assert found is not None
        assert (found.began, found.used) == (NOW + MINUTE, NOW + 2 * MINUTE)
        assert work.logins.close_all() == 1
        assert work.logins.find("b") is None


def test_what_was_idle_and_what_is_old_goes(store: Store) -> None:
    with committed(store) as work:
        work.logins.open("idle", DRIFT)
        work.logins.open("used", TOVE)
        work.logins.use("used", NOW + 9 * MINUTE)
        assert work.logins.close_old(NOW - MINUTE, NOW - MINUTE) == 0
        assert work.logins.close_old(NOW, NOW - MINUTE) == 1
        assert work.logins.find("idle") is None
        assert work.logins.close_old(NOW, NOW + MINUTE) == 1
        assert work.logins.find("used") is None


def test_a_login_on_its_way_is_taken_once_by_one(store: Store) -> None:
    with committed(store) as work:
        work.logins.keep("k", waiting(NOW))

    def take() -> Waiting | None:
        with committed(store) as work:
            return work.logins.take("k")

    taken = together(take, take, take)
    assert sorted(t is not None for t in taken) == [False, False, True]
    assert waiting(NOW) in taken
    with store.reading() as work:
        assert work.logins.find("k") is None


def test_of_too_many_the_oldest_give_way(store: Store) -> None:
    with committed(store) as work:
        for n in range(5):
            work.logins.keep(str(n), waiting(NOW + n * MINUTE))
        assert work.logins.drop(NOW, 4) == 1
        assert work.logins.drop(NOW, 4) == 0
        assert work.logins.drop(NOW - MINUTE, 2) == 2
    with committed(store) as work:
        assert [work.logins.take(str(n)) is not None for n in range(5)] == [
            False, False, False, True, True,
        ]  # fmt: skip


def test_a_look_is_one_statement_beside_the_one_that_begins_it(store: Store) -> None:
    with committed(store) as work:
        work.logins.open("a", DRIFT)
    with counting(store.database.engine) as counted, store.reading() as work:
        assert work.logins.find("a") == DRIFT
    assert (counted.statements.total(), counted.commits) == (2, 0)
