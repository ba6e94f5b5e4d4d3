"""What the store promises of the audit trail, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from hub.fhir import names
from hub.model.party import CITIZEN
from hub.store.audit_tables import AUDIT, AUDIT_SEAL, AUDIT_TAIL
from hub.store.dialect import Database
from hub.store.tables import CONSENT
from hub.store.trail import Checked
from hub.store.work import Store
from tests.contract.store_cases import CITIZEN_1, NOW, PSYK, RUS, committed, plan, together

LATER = NOW + timedelta(days=1)


def act(store: Store, detail: str = "", **more: Any) -> int:
    with committed(store) as work:
        return work.journal.audit(
            NOW, PSYK, "read", "CarePlan/plan-1/_history/1", party=PSYK, detail=detail, **more
        )


def seal(store: Store, limit: int = 1000) -> int:
    with committed(store) as work:
        return work.trail.seal(NOW, limit)


def check(store: Store, head: str | None = None) -> Checked:
    with store.reading() as work:
        return work.trail.check(head)


def rows(store: Store) -> list[dict[str, Any]]:
    with store.database.engine.connect() as db:
        return [r._asdict() for r in db.execute(select(AUDIT).order_by(AUDIT.c.id))]


def behind_its_back(store: Store, statement: Any) -> None:
    with store.database.engine.begin() as db:
        db.execute(statement)


def test_a_row_says_who_for_which_unit_about_whom(store: Store) -> None:
    with committed(store) as work:
        work.plans.add(plan(lead=PSYK), NOW)
    act(store, basis="consent/c-1")
    with committed(store) as work:
        work.journal.audit(
            NOW, "hub", "disclose", "CarePlan/plan-1/_history/2", party=RUS, outcome="denied",
            reason="No consent names this unit",
        )  # fmt: skip
    first, second = rows(store)
    assert first["unit"] == f"{names.SOR}|999000000101"
    assert first["unit_name"] == "Psykiatrisk Center Nordstrand, Region Nordstrand"
    assert (first["role"], first["consent_id"], first["version"]) == ("lead", "c-1", 1)
    assert (second["role"], second["unit"]) == ("receiver", f"{names.SOR}|999000000203")
    assert (second["plan_id"], second["version"]) == ("plan-1", 2)
    assert first["citizen"] == second["citizen"]
    assert CITIZEN_1 not in repr([first, second])


def test_a_consent_s_row_names_its_citizen_by_pseudonym(store: Store) -> None:
    with committed(store) as work:
        db = work._connection
        db.execute(
            insert(CONSENT).values(
                id="c-1", citizen_id=CITIZEN_1, facts={}, body="", registered_by=PSYK,
                registered_at=NOW,
            )
        )  # fmt: skip
        work.journal.audit(NOW, PSYK, "consent", "Consent/c-1", party=PSYK)
        assert work.trail.pseudonym_of(CITIZEN_1) == rows_of(work)[-1]["citizen"] is not None


def rows_of(work: Any) -> list[dict[str, Any]]:
    return [r._asdict() for r in work._connection.execute(select(AUDIT).order_by(AUDIT.c.id))]


def test_the_key_of_a_pseudonym_can_be_erased(store: Store) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
    act(store)
    with committed(store) as work:
        before = work.trail.pseudonym_of(CITIZEN_1)
        assert before is not None
        assert work.trail.forget(CITIZEN_1)
        assert not work.trail.forget(CITIZEN_1)
        assert work.trail.pseudonym_of(CITIZEN_1) is None
    act(store)
    first, second = rows(store)
    assert first["citizen"] == before != second["citizen"]


def test_what_is_rolled_back_was_never_audited(store: Store) -> None:
    with store.writing() as work:
        work.journal.audit(NOW, PSYK, "read", "x")
    assert rows(store) == []
    assert seal(store) == 0
    act(store)
    assert (seal(store), seal(store)) == (1, 0)
    assert check(store) == Checked(None, 1, 0, 0, check(store).head)


def test_the_trail_is_sealed_in_batches_and_whole(store: Store) -> None:
    with committed(store) as work:
        for n in range(25):
            work.journal.audit(NOW, PSYK, "read", f"CarePlan/p-{n}")
    assert check(store).unsealed == 25
    assert [seal(store, 10) for _ in range(4)] == [10, 10, 5, 0]
    found = check(store)
    assert (found.found, found.rows, found.unsealed) == (None, 25, 0)
    with store.reading() as work:
        newest = work.trail.head()
    assert newest is not None
    assert check(store, newest.chain_hash).found is None
    assert check(store, "0" * 63 + "1").found is not None


@pytest.mark.parametrize("sealed", [True, False])
def test_any_column_changed_behind_its_back_is_found(store: Store, sealed: bool) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
    for n in range(3):
        act(store, f"d{n}", reason="r", sections=["social"], purpose="exchange", basis="consent/c")
    if sealed:
        seal(store)
    victim = rows(store)[1]
    for name, value in victim.items():
        assert value is not None, name
        other: Any = value + timedelta(microseconds=1) if name == "at" else None
        other = other or ("#" + value[1:] if isinstance(value, str) else value + 100)
        changed = update(AUDIT).where(AUDIT.c.row_hash == victim["row_hash"])
        behind_its_back(store, changed.values({name: other if name != "row_hash" else "f" * 64}))
        broken = check(store).found
        assert broken is not None, name
        back = update(AUDIT).where(AUDIT.c.id == (other if name == "id" else victim["id"]))
        behind_its_back(store, back.values({name: value}))
        assert check(store).found is None, name


def test_a_row_taken_out_or_put_in_is_found(store: Store) -> None:
    for n in range(4):
        act(store, f"d{n}")
    seal(store)
    taken = rows(store)[2]
    behind_its_back(store, delete(AUDIT).where(AUDIT.c.id == taken["id"]))
    broken = check(store).found
    assert broken is not None
    assert (broken.position, broken.audit_id, broken.text) == (
        3,
        taken["id"],
        "The row was removed",
    )
    behind_its_back(store, insert(AUDIT).values(taken))
    assert check(store).found is None
    behind_its_back(store, insert(AUDIT).values(taken | {"id": taken["id"] + 100}))
    assert check(store).found is not None


def test_a_row_changed_before_it_is_sealed_is_never_vouched_for(store: Store) -> None:
    act(store, "good")
    bad = act(store, "good")
    behind_its_back(store, update(AUDIT).where(AUDIT.c.id == bad).values(detail="evil"))
    assert seal(store) == 1
    broken = check(store).found
    assert broken is not None
    assert (broken.audit_id, broken.text) == (bad, "The row was changed before it was sealed")


def test_a_row_committed_late_gets_the_next_place(store: Store, url: str) -> None:
    """PostgreSQL gives ids when rows are written, not when they are committed."""
    if store.database.embedded:
        act(store, "first")
        seal(store)
        act(store, "second")
    else:
        with store.writing() as slow:
            slow.journal.audit(NOW, PSYK, "read", "slow")
            act(store, "quick")
            assert seal(store) == 1
            slow.commit()
    assert seal(store) == 1
    with store.database.engine.connect() as db:
        order = db.execute(select(AUDIT_SEAL.c.audit_id).order_by(AUDIT_SEAL.c.position)).scalars()
        assert list(order) == ([1, 2] if store.database.embedded else [2, 1])
    assert check(store).found is None


def test_one_seals_while_many_write(store: Store, url: str) -> None:
    """Two writers and two sealers beside each other, each with a store of its own."""
    others = [Store(Database(url)) for _ in range(4)]
    gate, writing = threading.Barrier(4), threading.Event()

    def write(own: Store) -> None:
        gate.wait(10)
        for n in range(40):
            act(own, f"d{n}")

    def sealer(own: Store) -> None:
        gate.wait(10)
        while not writing.is_set():
            seal(own, 7)

    def writers() -> None:
        together(partial(write, others[0]), partial(write, others[1]))
        writing.set()

    together(writers, partial(sealer, others[2]), partial(sealer, others[3]))
    seal(store)
    for one in others:
        one.close()
    found = check(store)
    assert (found.found, found.rows, found.unsealed) == (None, 80, 0)


def test_what_was_committed_is_sealed_by_whoever_comes_next(store: Store, url: str) -> None:
    """A process that ends between the commit and the seal leaves the row to be sealed."""
    ended = Store(Database(url))
    act(ended)
    ended.close()
    assert check(store).unsealed == 1
    assert seal(store) == 1
    assert check(store).unsealed == 0


def test_two_readers_at_once_make_one_pseudonym(store: Store, url: str) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
    gate = threading.Barrier(4)
    others = [Store(Database(url)) for _ in range(4)]

    def read(own: Store) -> None:
        gate.wait(10)
        act(own)

    together(*(partial(read, own) for own in others))
    for one in others:
        one.close()
    assert len(rows(store)) == 4
    assert len({r["citizen"] for r in rows(store)}) == 1


def test_the_citizen_s_own_copy_has_no_unit(store: Store) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
        work.journal.audit(NOW, "hub", "disclose", "CarePlan/plan-1/_history/1", party=CITIZEN)
        assert work.trail.waits()
    (found,) = rows(store)
    assert (found["unit"], found["role"], found["party"]) == (None, "hub", CITIZEN)


def test_nothing_waits_once_it_is_sealed(store: Store) -> None:
    act(store)
    seal(store)
    with store.database.engine.connect() as db:
        assert db.execute(select(AUDIT_TAIL)).all() == []
    with store.reading() as work:
        assert not work.trail.waits()


def test_who_acts_is_the_unit_and_who_receives_where_the_hub_acts(store: Store) -> None:
    with committed(store) as work:
        for actor, party in ((f"{PSYK}: A", RUS), ("hub", RUS), ("an operator", RUS)):
            work.journal.audit(NOW, actor, "forward", "x", party=party)
    units = [(r["unit_name"] or "").partition(",")[0] for r in rows(store)]
    assert units == ["Psykiatrisk Center Nordstrand", "Havneby Rusmiddelcenter", ""]
