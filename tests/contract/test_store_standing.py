"""What the store knows of receivers, on SQLite and on PostgreSQL: numbers, silence, once more."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from hub.model.delivery import State
from hub.model.withdrawal import NOTICE
from hub.sending import Outgoing
from hub.store.dialect import Database, migration_lock
from hub.store.migrate import _config, migrate
from hub.store.work import Store, UnitOfWork
from tests.contract.store_cases import (
    HOUR,
    LEASE,
    NOW,
    PSYK,
    RUS,
    committed,
    copy_for_citizen,
    delivery,
    plan,
    put,
)

MINUTE = timedelta(minutes=1)


def claimed(work: UnitOfWork) -> list[str]:
    found = [c.id for c in work.deliveries.claimable(NOW, 20)]
    work.deliveries.take(found, NOW + LEASE, "w")
    return found


def freeze(work: UnitOfWork, name: str, sequence: int, at: datetime = NOW) -> None:
    found = work.deliveries.lock(name)
    assert found is not None
    body = b"x" * sequence
    work.deliveries.move(found, State.SENDING, "x", "test", at, sequence=sequence, body=body)


def onwards(work: UnitOfWork, name: str, *states: State, at: datetime = NOW) -> None:
    for state in states:
        found = work.deliveries.lock(name)
        assert found is not None
        work.deliveries.move(found, state, "x", "test", at, by_person=True, retry_at=at)


def three(store: Store) -> list[str]:
    """Three versions for one receiver, delivered."""
    rows = [delivery(PSYK, n, minute=n) for n in (1, 2, 3)]
    put(store, *rows)
    with committed(store) as work:
        for number, row in enumerate(rows, 1):
            freeze(work, row.id, number)
            onwards(work, row.id, State.SENT, State.DELIVERED)
    return [r.id for r in rows]


def test_what_was_made_is_found_by_format_and_number(store: Store) -> None:
    names = three(store)
    with committed(store) as work:
        notice = replace(delivery(PSYK, 3), id="n", format="ki-notice", about=f"{NOTICE}withdrawn")
        other = [notice, delivery(PSYK, 4), replace(delivery(RUS, 3), id="r")]
        for row in other:
            work.deliveries.add(row, "test")
        for name in ("n", "r"):
            freeze(work, name, 1)
    with store.reading() as work:
        found = work.standing.frozen
        assert found("plan-1", PSYK) == [*names, "n"]
        assert found("plan-1", PSYK, "fhir", 1) == names[1:]
        assert found("plan-1", PSYK, after=1) == names[1:]
        assert found("plan-2", PSYK) == []
        assert work.deliveries.next_sequence("plan-1", PSYK, "fhir") == 4
        assert work.deliveries.next_sequence("plan-1", PSYK, "ki-notice") == 2
        assert [work.standing.size(n) for n in (*names, "nothing")] == [1, 2, 3, 0]


def test_no_two_of_one_plan_and_subscription_have_one_number(store: Store) -> None:
    three(store)
    with committed(store) as work:
        work.deliveries.add(delivery(PSYK, 4), "test")
    with store.writing() as work, pytest.raises(IntegrityError):
        freeze(work, f"plan-1-{PSYK}-4", 3)


def test_what_is_asked_for_once_more_goes_one_after_the_other(store: Store) -> None:
    names = three(store)
    with committed(store) as work:
        for name in reversed(names):
            onwards(work, name, State.RETRY_AT)
    for name in names:
        with committed(store) as work:
            assert claimed(work) == [name]
            onwards(work, name, State.SENDING, State.SENT)
            assert claimed(work) == [], "the receiver has not answered"
            onwards(work, name, State.DELIVERED)


def test_a_receipted_message_can_be_put_in_the_mailbox_once_more(store: Store) -> None:
    message = Outgoing("d-1", b"x", "text/plain", {})
    with committed(store) as work:
        work.queues.add("q", message, NOW)
        work.queues.reopen("q", "d-1")
        assert [m.key for m in work.queues.waiting("q")] == ["d-1"], "it was never receipted"
        work.queues.settle("q", "d-1", NOW)
        work.queues.add("q", message, NOW)
        assert work.queues.waiting("q") == []
        work.queues.reopen("q", "d-1")
        work.queues.add("q", message, NOW)
        assert [m.key for m in work.queues.waiting("q")] == ["d-1"]


def test_a_party_is_heard_of_to_the_minute(store: Store) -> None:
    with committed(store) as work:
        hear = work.standing.hear
        at = [NOW, NOW + MINUTE / 2, NOW + 2 * MINUTE, NOW]
        assert [hear(PSYK, moment) for moment in at] == [True, False, True, False]
    with store.reading() as work:
        assert work.standing.heard() == {PSYK: NOW + 2 * MINUTE}


def test_what_was_sent_and_not_answered_is_waited_for(store: Store) -> None:
    rows = [delivery(PSYK, 1), delivery(RUS, 1), copy_for_citizen()]
    put(store, *rows)
    with committed(store) as work:
        work.plans.add(plan("p-2"), NOW)
        work.deliveries.add(delivery(PSYK, 1, "p-2"), "test")
        for name, hours in (("plan-1-psyk-nordstrand-1", 2), ("p-2-psyk-nordstrand-1", 1),
                            ("plan-1-citizen-1", 0)):  # fmt: skip
            freeze(work, name, 1)
            onwards(work, name, State.SENT, at=NOW + hours * HOUR)
    with committed(store) as work:
        assert work.standing.waited_for() == {PSYK: NOW + HOUR}
        onwards(work, "p-2-psyk-nordstrand-1", State.DELIVERED)
        assert work.standing.waited_for() == {PSYK: NOW + 2 * HOUR}
        work.parties.pause(PSYK, "op", "holiday")
        assert work.standing.waited_for() == {}


def test_plans_are_gone_through_in_their_order(store: Store) -> None:
    put(store, delivery(PSYK, 1), delivery(RUS, 1))
    with committed(store) as work:
        work.plans.add(plan("p-0"), NOW)
        work.plans.add(plan("p-2"), NOW)
        work.deliveries.add(delivery(PSYK, 1, "p-2"), "test")
    with store.reading() as work:
        assert work.standing.plans("", 10) == ["p-2", "plan-1"]
        assert work.standing.plans("", 1) == ["p-2"]
        assert work.standing.plans("p-2", 10) == ["plan-1"]


def test_the_migration_keeps_the_numbers_there_are(url: str) -> None:
    """0014: until then one numbering held a receiver's copies and notices of a plan."""
    database = Database(url)
    with migration_lock(database.engine) as connection:
        command.upgrade(_config(connection), "0011")
        connection.execute(text(
            "INSERT INTO party (id, name, kind, organisation, identifiers, transport, address,"
            " paused, updated_at) VALUES ('u', 'U', 'gp', 'O', '[]', 'mailbox', 'u', false,"
            " '2026-01-01 00:00:00')"
        ))  # fmt: skip
        connection.execute(text(
            "INSERT INTO plan (id, citizen_id, lead, status, head, consent_epoch, created_at)"
            " VALUES ('p', 'c', 'u', 'active', 1, 1, '2026-01-01 00:00:00')"
        ))  # fmt: skip
        for number, format in ((1, "fhir"), (2, "ki-notice"), (3, "fhir")):
            connection.execute(text(
                "INSERT INTO delivery (id, plan_id, receiver, subscription, about, format, version,"
                " digest, state, reason, basis, attempts, sequence, created_at, updated_at) VALUES"
                f" ('d{number}', 'p', 'u', '', '', '{format}', 1, 'x', 'delivered', 'r', 'b', 1,"
                f" {number}, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
            ))  # fmt: skip
    migrate(database)
    with closing(Store(database)) as store, store.reading() as work:
        assert [d.sequence for d in work.deliveries.of_plan("p")] == [1, 2, 3]
        assert work.deliveries.next_sequence("p", "u", "fhir") == 4
        assert work.deliveries.next_sequence("p", "u", "ki-notice") == 3
