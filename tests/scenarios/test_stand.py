"""What an operator's bad day does to real processes: they say why they wait, and go on by
themselves; and when they are asked to end, another goes on at once."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pika
import pytest

from hub.bus.publishing import MEMORY
from hub.demo import documents
from tests.faults.disk import SmallDisk
from tests.faults.site import Site
from tests.servers.hook import Hook
from tests.servers.hub import LEAD, played
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer

NEVER = "3600"
"""Seconds of a lease: what is not let go of stays until the test has failed."""
SETTINGS = {
    "KI_HUB_LEASE_SECONDS": NEVER,
    "KI_HUB_SEND_TIMEOUT": "60",
    "KI_HUB_STOP_SECONDS": "2",
    "KI_HUB_RECEIPT_SECONDS": NEVER,
}
pytestmark = pytest.mark.timeout(280)


def until(look: Callable[[], Any], seconds: float = 60) -> Any:
    """Look again and again until there is something."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def disk() -> Iterator[SmallDisk]:
    """Where the database's tables are."""
    with SmallDisk(megabytes=48) as found:
        yield found


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer,
    rabbitmq_server: RabbitServer, disk: SmallDisk,
) -> Iterator[Site]:  # fmt: skip
    """A deployment with a plan in it, whose one hook is still to be told of it."""
    servers = (postgres_server, rabbitmq_server)
    with ExitStack() as stack:
        site = stack.enter_context(Site(tmp_path_factory.mktemp("stand"), SETTINGS, servers))
        if disk.own:
            stack.enter_context(postgres_server.on_disk(site.database, disk.path))
        parties = site.folder / "parties.yaml"
        hook = f'https, address: "http://127.0.0.1:{site.hook_port}/told"'
        # The hospital, who is first there.
        parties.write_text(parties.read_text("utf-8").replace("amqp", hook, 1), "utf-8")
        site.run("parties", "apply", str(parties))
        yield site


@pytest.fixture
def hook(site: Site) -> Iterator[Hook]:
    """The one receiver that is called."""
    with Hook(port=site.hook_port) as found:
        yield found


@pytest.fixture(scope="module")
def serving(site: Site) -> Site:
    """The hub runs; these tests do not end it."""
    site.start("serve", "worker-1")
    site.wait_ready()
    return site


@pytest.fixture
def starting(site: Site) -> Iterator[Site]:
    """No process of the hub's runs, and nothing is in anybody's hands."""
    _as_after_a_crash(site)
    yield site
    _as_after_a_crash(site)


def _as_after_a_crash(site: Site) -> None:
    """Whoever runs is killed, and what it had is there for the next at once."""
    site.end_ours()
    with site.postgres.connect(site.database) as connection:
        connection.execute(b"UPDATE delivery SET claim = NULL, lease_until = NULL")
        connection.execute(b"UPDATE inbox SET lease_until = NULL")


def client(site: Site, who: str = LEAD) -> httpx.Client:
    headers = {"Authorization": f"Bearer {site.secrets[who]}"}
    return httpx.Client(base_url=f"http://127.0.0.1:{site.port}", headers=headers, timeout=60)


def new_plan(site: Site, seed: int, titles: tuple[str, ...] = ()) -> str:
    citizen = documents.fresh(documents.KARLA, random.Random(seed))
    return played(f"http://127.0.0.1:{site.port}", site.secrets, citizen, titles)


def asked(site: Site, query: str) -> list[Any]:
    with site.postgres.connect(site.database) as connection:
        return [row[0] for row in connection.execute(query.encode())]


def claims(site: Site) -> int:
    """Deliveries and messages in somebody's hands."""
    both = (
        "SELECT count(*) FROM delivery WHERE claim IS NOT NULL",
        "SELECT count(*) FROM inbox WHERE lease_until IS NOT NULL AND state = 'received'",
    )
    return sum(asked(site, query)[0] for query in both)


def refusal(site: Site, body: bytes, *, language: str = "en") -> httpx.Response | None:
    """The hub's answer to a document, if it is 503."""
    headers = {"Message-Id": str(uuid.uuid4()), "Accept-Language": language}
    with client(site) as lead:
        answer = lead.post("/documents/fhir", content=body, headers=headers)
    return answer if answer.status_code == 503 else None


def text_of(answer: httpx.Response) -> str:
    return str(answer.json()["issue"][0]["details"]["text"])


def told_by_all(site: Site, part: str, why: str) -> bool:
    """Readiness, the doctor and the gauge say that of the part, and that no other is wrong."""
    ready = httpx.get(f"http://127.0.0.1:{site.port}/health/ready", timeout=30)
    doctor = site.ask("doctor", "--json")
    with client(site, "drift") as operator:
        metrics = operator.get("/metrics").text
    wrong = {x for x in json.loads(doctor.stdout).values() if x != "ok"}
    (gauge,) = (x for x in metrics.splitlines() if x.startswith(f'ki_hub_ready{{part="{part}"}}'))
    said = (ready.status_code, ready.json().get(part), doctor.returncode, wrong, gauge[-3:])
    return said == (503, why, 4, {why}, "0.0")


def test_a_broker_s_alarm_stops_intake_with_a_reason(serving: Site) -> None:
    site = serving
    with site.rabbitmq.alarm("memory"):
        answer = until(lambda: refusal(site, b"{}"))
        assert text_of(answer) == MEMORY
        assert answer.headers["Retry-After"] == "30"
        assert answer.json()["extension"][0]["valueCode"] == "operator"
        danish = until(lambda: refusal(site, b"{}", language="da"))
        assert text_of(danish).startswith("Beskedkøen mangler hukommelse")
        assert told_by_all(site, "broker", MEMORY)
    until(lambda: refusal(site, b"{}") is None)
    until(site.ready)


def test_a_full_disk_stops_intake_with_a_reason(serving: Site, disk: SmallDisk) -> None:
    site = serving
    if not disk.own:
        with pytest.raises(AssertionError, match="never filled"):
            disk.fill()
        return
    large = random.Random(1).randbytes(1_000_000)
    # A connection that begins now may want to write a file of its own.
    with site.postgres.connect(site.database) as looking:
        disk.fill()
        try:
            # What the database has room for in its own files still goes in.
            answer = until(lambda: refusal(site, large))
            (known,) = looking.execute(b"SELECT count(*) FROM inbox").fetchone() or ()
            why = text_of(answer)
            assert why.startswith("The hub's disk is full")
            assert answer.headers["Retry-After"] == "60"
            assert answer.json()["extension"][0]["valueCode"] == "operator"
            assert text_of(until(lambda: refusal(site, large, language="da"))).startswith(
                "Hubbens disk"
            )
            # Asked one after the other, and a small write may find room in between.
            until(lambda: refusal(site, large) and told_by_all(site, "database", why))
            for _ in range(20):
                assert refusal(site, large)
        finally:
            disk.empty()
    until(site.ready)
    log = (site.folder / "serve.log").read_text()
    # Once each time: a small write may find room in between.
    told, over = log.count("store.not_written"), log.count("store.written_again")
    assert 1 <= told <= over + 1, log[-3000:]
    assert asked(site, "SELECT count(*) FROM inbox") == [known]
    assert refusal(site, large) is None


def test_a_read_only_database_stops_intake_with_a_reason(serving: Site) -> None:
    site = serving
    with only_reading(site):
        answer = until(lambda: refusal(site, b"{}"))
        why = text_of(answer)
        assert why.startswith("The hub's database is read-only")
        assert told_by_all(site, "database", why)
    until(site.ready)
    assert refusal(site, b"{}") is None


@contextmanager
def only_reading(site: Site) -> Iterator[None]:
    """As after a switch to a standby, and back."""
    said = "ALTER DATABASE {} SET default_transaction_read_only = {}"
    cut = (
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{site.database}'"
    )
    with site.postgres.connect() as connection:
        connection.execute(said.format(site.database, "on").encode())
        connection.execute(cut.encode())
        try:
            yield
        finally:
            connection.execute(said.format(site.database, "off").encode())


def test_a_send_that_is_slow_is_let_go_of_and_another_worker_sends_at_once(
    starting: Site, hook: Hook
) -> None:
    site = starting
    site.start("serve", "worker-1")
    site.wait_ready()
    with hook.held():
        new_plan(site, 1)
        until(lambda: hook.got)
        site.process("worker-1").send(signal.SIGTERM)
        assert site.process("worker-1").ended() == 0
    assert claims(site) == 0
    site.start("worker-2")
    with hook.arrived:
        assert hook.arrived.wait_for(lambda: len(hook.got) > 1, 60)
    first, second = (g.headers["ki-delivery"] for g in hook.got[:2])
    assert first == second


def test_a_send_that_ends_in_time_is_sent_once(starting: Site, hook: Hook) -> None:
    site = starting
    site.start("serve", "worker-1")
    site.wait_ready()
    with hook.held():
        new_plan(site, 2)
        until(lambda: hook.got)
        site.process("worker-1").send(signal.SIGTERM)
    assert site.process("worker-1").ended() == 0
    assert claims(site) == 0
    assert len(hook.got) == 1
    sent = hook.got[0].headers["ki-delivery"]
    assert asked(site, f"SELECT state FROM delivery WHERE id = '{sent}'") == ["sent"]


def test_asked_twice_it_ends_at_once(starting: Site, hook: Hook) -> None:
    site = starting
    site.start("serve", "worker-1")
    site.wait_ready()
    with hook.held():
        new_plan(site, 3)
        until(lambda: hook.got)
        worker = site.process("worker-1")
        worker.send(signal.SIGTERM)
        until(lambda: claims(site))
        worker.send(signal.SIGINT)
        assert worker.ended() == 128 + signal.SIGINT


def test_a_request_in_hand_is_answered(starting: Site) -> None:
    site = starting
    site.start("serve")
    site.wait_ready()
    answers: list[httpx.Response] = []
    with site.postgres.connect(site.database) as other, client(site) as lead:
        other.execute(b"BEGIN; LOCK TABLE inbox IN EXCLUSIVE MODE")
        send = threading.Thread(
            target=lambda: answers.append(lead.post("/documents/fhir", content=b"{}"))
        )
        send.start()
        until(lambda: asked(site, _WAITING)[0])
        site.process("serve").send(signal.SIGTERM)
        until(lambda: not _takes(site))
        other.execute(b"ROLLBACK")
        send.join()
    assert site.process("serve").ended() == 0
    assert [a.status_code for a in answers] == [400]


_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def _takes(site: Site) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{site.port}/health/live", timeout=30)
    except httpx.TransportError:
        return False
    return True


@pytest.mark.parametrize("in_time", [True, False])
def test_a_message_in_hand_is_kept_or_goes_back_to_the_broker(
    starting: Site, in_time: bool
) -> None:
    site = starting
    site.start("worker-1")
    message = str(uuid.uuid4())
    with site.postgres.connect(site.database) as other:
        other.execute(b"BEGIN; LOCK TABLE inbox IN EXCLUSIVE MODE")
        publish(site, message)
        until(lambda: asked(site, _WAITING)[0])
        site.process("worker-1").send(signal.SIGTERM)
        if not in_time:
            assert site.process("worker-1").ended() == 0
        other.execute(b"ROLLBACK")
    assert site.process("worker-1").ended() == 0
    kept = f"SELECT state FROM inbox WHERE message_id = '{message}'"
    # Kept before it was acknowledged; and a quick worker has answered it before it saw the signal.
    assert asked(site, kept) in ((["received"], ["refused"]) if in_time else ([],))
    # A delivery that is on its way when the time is up keeps its lease.
    assert claims(site) == 0 or not in_time
    site.start("worker-2")
    until(lambda: asked(site, kept) == ["refused"])


def publish(site: Site, message_id: str) -> None:
    """A document of the lead's, by the broker."""
    said = pika.BasicProperties(
        user_id=LEAD, message_id=message_id, content_type="application/fhir+json", delivery_mode=2
    )
    connection = pika.BlockingConnection(pika.URLParameters(site.amqp(LEAD)))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish("ki.inbound", "fhir", b"{}", said, mandatory=True)
    connection.close()
