"""What every transport promises: kept durably, later, or never; and nothing in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from adapters.transports import amqp, file, hand, https, mailbox
from hub.access.calls import Calls
from hub.bus.embedded import EmbeddedBus
from hub.errors import ReceiverUnavailable
from hub.model.reach import Reach
from hub.ports import QueueDepth, answers_queue, deliveries_queue
from hub.sending import Batching, Confirm, Endpoint, Outgoing, Transport, TransportContext
from hub.store.work import Store
from tests.contract.store_cases import PSYK, RUS, opened
from tests.servers.process import free_port

NOW = datetime(2026, 9, 20, 10, tzinfo=UTC)
BODY = "<plan>Æblegrød</plan>".encode() + bytes(range(256))
QUEUE = deliveries_queue(PSYK)


def message(key: str = "d-1", media_type: str = "application/xml") -> Outgoing:
    return Outgoing(key, BODY, media_type, {"ki-format": "behandlingsplan", "ki-sequence": "3"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(f"sqlite:///{tmp_path / 'hub.db'}") as found:
        yield found


@pytest.fixture
def bus(store: Store) -> EmbeddedBus:
    return EmbeddedBus(store, lambda: NOW)


@pytest.fixture
def context(bus: EmbeddedBus) -> TransportContext:
    return TransportContext(queues=bus, mailboxes=bus, timeout=0.5, outside=Calls(Reach()))


# Files


@pytest.mark.parametrize(
    ("media_type", "suffix"),
    [
        ("application/pdf", ".pdf"),
        ("application/fhir+json; charset=utf-8", ".json"),
        ("application/xml", ".xml"),
        ("text/html", ".bin"),
    ],
)
def test_a_file_is_whole_and_named_by_its_key_alone(
    context: TransportContext, tmp_path: Path, media_type: str, suffix: str
) -> None:
    folder = tmp_path / "ud" / "psyk"
    sent = file.create(context).send(message(media_type=media_type), Endpoint("file", str(folder)))
    assert sent == Confirm(True)
    assert [p.name for p in folder.iterdir()] == [f"d-1{suffix}"]
    assert (folder / f"d-1{suffix}").read_bytes() == BODY


def test_a_file_sent_again_is_the_same_file(context: TransportContext, tmp_path: Path) -> None:
    transport = file.create(context)
    for _ in range(2):
        assert transport.send(message(), Endpoint("file", str(tmp_path))).accepted
    assert [p.name for p in tmp_path.glob("d-*")] == ["d-1.xml"]
    assert not [*tmp_path.glob(".*")]


def test_a_folder_that_cannot_be_written_is_tried_later(
    context: TransportContext, tmp_path: Path
) -> None:
    taken = tmp_path / "ud"
    taken.write_text("this is no folder")
    with pytest.raises(ReceiverUnavailable):
        file.create(context).send(message(), Endpoint("file", str(taken)))


# HTTPS


@dataclass
class Receiver:
    """A party's endpoint: answers what it is told to, and remembers what came."""

    url: str
    status: int = 200
    location: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {k.lower(): v for k, v in self.headers.items()}
            found.requests.append((self.path, headers, body))
            self.send_response(found.status)
            if found.location:
                self.send_header("Location", found.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/ki"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def post(context: TransportContext) -> Transport:
    return https.create(context)


def test_a_post_carries_the_bytes_the_key_and_the_credential(
    post: Transport, receiver: Receiver
) -> None:
    assert post.send(message(), Endpoint("https", receiver.url, "hemmelig")) == Confirm(True)
    ((path, headers, body),) = receiver.requests
    assert (path, body) == ("/ki", BODY)
    wanted = {
        "content-type": "application/xml",
        "idempotency-key": "d-1",
        "authorization": "Bearer hemmelig",
        "ki-format": "behandlingsplan",
        "ki-sequence": "3",
    }
    assert {k: headers.get(k) for k in wanted} == wanted


def test_without_a_credential_none_is_sent(post: Transport, receiver: Receiver) -> None:
    post.send(message(), Endpoint("https", receiver.url))
    assert "authorization" not in receiver.requests[0][1]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_means_kept(post: Transport, receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert post.send(message(), Endpoint("https", receiver.url)).accepted


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_busy_means_later(post: Transport, receiver: Receiver, status: int) -> None:
    receiver.status = status
    with pytest.raises(ReceiverUnavailable) as caught:
        post.send(message(), Endpoint("https", receiver.url))
    assert str(status) in caught.value.text


@pytest.mark.parametrize("status", [400, 401, 404, 409, 415, 422])
def test_refused_means_never_as_it_is(post: Transport, receiver: Receiver, status: int) -> None:
    receiver.status = status
    confirm = post.send(message(), Endpoint("https", receiver.url))
    assert (confirm.accepted, confirm.permanent) == (False, True)
    assert str(status) in confirm.reason


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_another_receiver_and_is_not_followed(
    post: Transport, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    receiver.location = receiver.url.replace("/ki", "/elsewhere")
    confirm = post.send(message(), Endpoint("https", receiver.url))
    assert (confirm.accepted, confirm.permanent) == (False, True)
    assert [path for path, _, _ in receiver.requests] == ["/ki"]


def test_a_dead_port_is_tried_later(post: Transport) -> None:
    with pytest.raises(ReceiverUnavailable):
        post.send(message(), Endpoint("https", f"http://127.0.0.1:{free_port()}/ki"))


@pytest.mark.parametrize(
    "address",
    ["http://192.0.2.1/ki", "http://127.0.0.1.example/ki", "ftp://192.0.2.1/ki", "nowhere", ""],
)
def test_nothing_leaves_in_the_clear(post: Transport, address: str) -> None:
    confirm = post.send(message(), Endpoint("https", address))
    assert (confirm.accepted, confirm.permanent) == (False, True)


@pytest.mark.parametrize("address", ["https://", "https://[", "http://localhost:notaport/ki"])
def test_an_address_that_is_none_is_refused_and_raises_nothing_strange(
    post: Transport, address: str
) -> None:
    confirm = post.send(message(), Endpoint("https", address))
    assert (confirm.accepted, confirm.permanent) == (False, True)


# Queues


@pytest.mark.parametrize("create", [amqp.create, mailbox.create])
def test_a_queue_keeps_a_message_once_until_it_is_receipted(
    create: object, context: TransportContext, store: Store
) -> None:
    transport: Transport = create(context)  # type: ignore[operator]
    endpoint = Endpoint("mailbox", QUEUE)
    for _ in range(2):
        assert transport.send(message(), endpoint) == Confirm(True)
    transport.send(message("d-2"), endpoint)
    with store.reading() as work:
        waiting = work.queues.waiting(QUEUE)
    assert [m.key for m in waiting] == ["d-1", "d-2"]
    assert (waiting[0].body, waiting[0].media_type, waiting[0].headers, waiting[0].at) == (
        BODY, "application/xml", dict(message().headers), NOW,
    )  # fmt: skip


def test_a_mailbox_is_in_the_hub_s_own_database_also_beside_a_broker(
    bus: EmbeddedBus, store: Store, tmp_path: Path
) -> None:
    with opened(f"sqlite:///{tmp_path / 'elsewhere.db'}") as elsewhere:
        broker = EmbeddedBus(elsewhere, lambda: NOW)
        context = TransportContext(
            queues=broker, mailboxes=bus, timeout=1.0, outside=Calls(Reach())
        )
        mailbox.create(context).send(message("in-the-mailbox"), Endpoint("mailbox", QUEUE))
        amqp.create(context).send(message("on-the-broker"), Endpoint("amqp", QUEUE))
        with elsewhere.reading() as work:
            assert [m.key for m in work.queues.waiting(QUEUE)] == ["on-the-broker"]
    with store.reading() as work:
        assert [m.key for m in work.queues.waiting(QUEUE)] == ["in-the-mailbox"]


def test_by_hand_is_kept_with_the_delivery(context: TransportContext) -> None:
    assert hand.create(context).send(message(), Endpoint("hand", "")) == Confirm(True)


def test_a_batch_is_put_into_each_party_s_own_queue(
    context: TransportContext, store: Store
) -> None:
    for made in (amqp.create(context), mailbox.create(context)):
        assert isinstance(made, Batching)
        batch = [
            (message(f"{n}-{party}"), Endpoint("amqp", deliveries_queue(party)))
            for n in range(2)
            for party in (PSYK, RUS)
        ]
        assert made.send_many(batch) == [Confirm(True)] * 4
    with store.reading() as work:
        for party in (PSYK, RUS):
            waiting = work.queues.waiting(deliveries_queue(party))
            assert [m.key for m in waiting] == [f"0-{party}", f"1-{party}"]
    by_hand = hand.create(context)
    assert isinstance(by_hand, Batching)
    assert by_hand.send_many([(message(), Endpoint("hand", ""))]) == [Confirm(True)]


# The embedded bus itself; what comes in on a broker comes in over HTTP here.


def test_a_batch_is_answered_one_by_one_and_kept_in_order(bus: EmbeddedBus, store: Store) -> None:
    batch = [(QUEUE, message(f"d-{n}")) for n in range(20)] + [(answers_queue(RUS), message())]
    assert bus.publish_many(batch) == [Confirm(True)] * 21
    with store.reading() as work:
        assert [m.key for m in work.queues.waiting(QUEUE)] == [f"d-{n}" for n in range(20)]
    assert bus.depths() == [
        QueueDepth(QUEUE, 20, 0, 0),
        QueueDepth(answers_queue(RUS), 1, 0, 0),
    ]


def test_an_empty_batch_is_nothing(bus: EmbeddedBus) -> None:
    assert bus.publish_many([]) == []


def test_what_was_accepted_is_on_disk(bus: EmbeddedBus, tmp_path: Path) -> None:
    bus.publish(QUEUE, message())
    with opened(f"sqlite:///{tmp_path / 'hub.db'}") as again, again.reading() as work:
        assert [m.key for m in work.queues.waiting(QUEUE)] == ["d-1"]


def test_listening_ends_when_it_is_told_to(bus: EmbeddedBus) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=bus.listen, args=(lambda _: None, stop))
    thread.start()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_check_asks_and_is_content(bus: EmbeddedBus) -> None:
    bus.check()
    bus.provision([])
    bus.close()
