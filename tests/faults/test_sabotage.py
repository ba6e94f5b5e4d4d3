"""The checker finds a hub with one promise broken; with none broken, it finds nothing.

The short form has one of the breaks; with ``KI_HUB_TEST_FULL`` in the environment, all.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import cases
from tests.faults.aftermath import Connection
from tests.faults.cases import PSYK
from tests.faults.checker import check
from tests.faults.records import History
from tests.faults.run import Trial
from tests.faults.sabotage import environment
from tests.faults.site import Site
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer

# pika leaves open the socket of a connection that was cut while it was made.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
FULL = bool(os.environ.get("KI_HUB_TEST_FULL"))
PROCESSES = ("serve", "worker-1")


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServer,
    rabbitmq_server: RabbitServer,
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with Site(folder, servers=(postgres_server, rabbitmq_server)) as made:
        yield made


def frozen(trial: Trial) -> None:
    """A change is made whose message to the lead has begun to leave, and gets no further."""
    settled(trial)
    trial.site.proxies["broker"].hole = True
    version = trial.desk.retitle(trial.canary, trial.lead, trial.chance)
    assert version is not None
    about = (trial.canary.plan, cases.RUS, version.version)
    with trial.site.postgres.connect(trial.site.database) as connection:
        _until(connection, _BEGUN, about, 1)


def settled(trial: Trial) -> None:
    """The lead has everything that was made so far."""
    with trial.site.postgres.connect(trial.site.database) as connection:
        _until(connection, _NOT_YET, (cases.RUS, trial.canary.plan), 0)


_NOT_YET = (
    "SELECT head - (SELECT count(*) FROM delivery WHERE plan_id = plan.id AND receiver = %s "
    "AND subscription = '' AND state = 'delivered') FROM plan WHERE id = %s"
)
_BEGUN = (
    "SELECT count(*) FROM delivery WHERE plan_id = %s AND receiver = %s AND version = %s "
    "AND sequence IS NOT NULL"
)


def _until(connection: Connection, question: str, about: tuple[object, ...], answer: int) -> None:
    end = time.monotonic() + 150
    while connection.execute(question, about).fetchall()[0][0] != answer:
        assert time.monotonic() < end, question
        time.sleep(0.05)


def free(trial: Trial) -> None:
    """The way is open again; what was on it is gone."""
    proxy = trial.site.proxies["broker"]
    proxy.reset()
    proxy.hole = False


def unconfirmed(trial: Trial) -> None:
    """The connection is gone before the broker has confirmed."""
    frozen(trial)
    time.sleep(0.5)
    free(trial)


def killed(trial: Trial) -> None:
    """Every process dies when the change is answered."""
    settled(trial)
    told = trial.desk.retitle(trial.canary, trial.lead, trial.chance)
    assert told is not None
    for name in PROCESSES:
        trial.site.kill(name)
    trial.site.start(*PROCESSES)
    trial.site.wait_ready()


def resent(trial: Trial) -> None:
    """An old message comes again when a newer one has taken its place."""
    broker = trial.desk.http(PSYK)
    said = [cases.token("psyk", trial.chance) for _ in range(2)]
    bodies = [cases.treatment(trial.canary, token) for token in said]
    first = str(uuid.uuid4())
    for token, body, message in zip(said, bodies, (first, ""), strict=True):
        about = ("behandlingsplan", body, token, "application/xml")
        trial.desk.write(trial.canary, PSYK, broker.document, *about, message=message)
    number = trial.recorder.begin(
        kind="again", by=PSYK, case=trial.canary.name, plan=trial.canary.plan, message=first
    )
    told = broker.document("behandlingsplan", bodies[0], "application/xml", first)
    assert told is not None
    trial.recorder.end(number, status="ok", version=told.version)


def withdrawn(trial: Trial) -> None:
    """The citizen says no while a message is on its way."""
    frozen(trial)
    assert trial.desk.decide(trial.canary, trial.lead, frozenset())
    free(trial)


SCENES: dict[str, tuple[Callable[[Trial], None], str]] = {
    "confirms": (unconfirmed, "lost"),
    "outbox": (killed, "lost"),
    "idempotency": (resent, "duplicated"),
    "epoch": (withdrawn, "leaked"),
}


SHORT = ("epoch",)


def judged(trial: Trial, rest: float) -> set[str]:
    """The kinds of what was found, of this citizen's plan alone: the database has others'."""
    trial.finish(rest)
    plan = trial.canary.plan

    def own(history: History) -> History:
        after = history.after
        rows = tuple(d for d in after.deliveries if d.plan == plan)
        ids = {d.id for d in rows}
        return replace(
            history,
            arrivals=tuple(a for a in history.arrivals if a.delivery in ids),
            after=replace(
                after,
                deliveries=rows,
                sendings=tuple(s for s in after.sendings if s.delivery in ids),
                versions=tuple(v for v in after.versions if v.plan == plan),
            ),
        )

    return {v.kind for v in check(own(trial.history))}


@contextmanager
def ending(trial: Trial) -> Iterator[None]:
    """Whatever happens, nobody runs on."""
    with closing(trial):
        try:
            yield
        finally:
            trial.site.end_ours()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("which", SCENES if FULL else SHORT)
def test_a_broken_promise_is_found(site: Site, tmp_path: Path, which: str) -> None:
    scene, expected = SCENES[which]
    site.settings = environment(which)
    trial = Trial(site, [*SCENES].index(which), tmp_path)
    with ending(trial):
        trial.begin(*PROCESSES)
        scene(trial)
        assert expected in judged(trial, rest=6)


@pytest.mark.timeout(240)
def test_with_no_promise_broken_nothing_is_found(site: Site, tmp_path: Path) -> None:
    site.settings = {"KI_HUB_RECEIPT_SECONDS": "3600"}
    trial = Trial(site, len(SCENES), tmp_path)
    with ending(trial):
        trial.begin(*PROCESSES)
        for which in SCENES if FULL else SHORT:
            trial.site.wait_ready()
            SCENES[which][0](trial)
        assert judged(trial, rest=60) == set()
