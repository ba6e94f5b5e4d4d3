"""Consuming the hub's inbound queues, for as long as the process lives.

Documents and receipts have one connection, dead letters another: whatever is wrong with a dead
letter, it does not stop the documents. The handler is called by one thread at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from threading import Event

import pika
import structlog

from hub.bus.connection import connected
from hub.bus.consuming import ConsumingSession, ListenerSettings, pauses
from hub.bus.topology import DEAD, INBOUND, RECEIPTS
from hub.errors import Temporary
from hub.ports import InboundHandler, InboundMessage

_log = structlog.get_logger(__name__)

Mend = Callable[[pika.BlockingConnection, Sequence[str]], None]
Ready = Callable[[], None]


def listen(
    params: pika.URLParameters,
    handler: InboundHandler,
    stop: Event,
    settings: ListenerSettings,
    mend: Mend,
    ready: Ready,
) -> None:
    """Consume until ``stop``; a lost connection is logged and made again with backoff.

    ``mend`` is called on each new connection before its queues are consumed. While ``ready``
    raises Temporary nothing is taken: each time that something is taken and given back counts
    against it, and a long night without a database would end with dead letters.
    """
    one_at_a_time = threading.Lock()

    def handle(message: InboundMessage) -> None:
        with one_at_a_time:
            handler(message)

    about = (handle, stop, settings, mend, ready)
    dead = threading.Thread(
        target=_consume, args=(params, (DEAD,), *about), name="ki-hub-dead-letters"
    )
    dead.start()
    try:
        _consume(params, (INBOUND, RECEIPTS), *about)
    finally:
        # Also on Ctrl-C in this thread, which never reaches the other one.
        stop.set()
        dead.join()


def _consume(
    params: pika.URLParameters,
    queues: tuple[str, ...],
    handler: InboundHandler,
    stop: Event,
    settings: ListenerSettings,
    mend: Mend,
    ready: Ready,
) -> None:
    """One session after the other until ``stop``."""
    waits = pauses(settings.first_pause, settings.longest_pause)
    while not stop.is_set():
        session = ConsumingSession(queues, handler, stop, settings)
        try:
            ready()
            with connected(params) as connection:
                mend(connection, queues)
                session.run(connection)
        except Temporary as error:
            _log.warning(
                "bus.listener_disconnected", queues=queues, number=error.number, why=error.text
            )
        except Exception as error:  # supervision: a listener that ends silently loses everything
            _log.error("bus.listener_failed", queues=queues, error=type(error).__name__)
        finally:
            session.end()
        if session.settled:
            waits = pauses(settings.first_pause, settings.longest_pause)
        stop.wait(next(waits))
