"""Connecting to RabbitMQ with pika, and what its errors mean to the hub.

A refused password is BusUnavailable here like a broker that is down, with a text of its own: no
delivery may be given up because an operator mistyped a setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pika
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    AuthenticationError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from hub.bus import tolerant
from hub.errors import BusUnavailable, Misconfigured

tolerant.install()

HEARTBEAT = 30
"""Seconds; a dead peer is noticed after two of them."""
CONNECT_TIMEOUT = 10.0
"""Seconds for the TCP connection; twice that for everything up to an open AMQP connection."""

_REFUSED = (AuthenticationError, ProbableAuthenticationError, ProbableAccessDeniedError)
_HINTS = {
    403: "the hub's user lacks the right; see deploy/rabbitmq/README.md",
    404: "an exchange or queue is missing; provision the broker",
}


def parameters(url: str, name: str) -> pika.URLParameters:
    """Connection parameters from ``amqp://user:password@host:port/vhost`` (or ``amqps``).

    ``name`` is what an operator sees in the broker's list of connections. Raises Misconfigured
    when the URL cannot be read; the URL itself is in no message, it has a password in it.
    """
    try:
        result = pika.URLParameters(url)
        if "heartbeat=" not in url:
            result.heartbeat = HEARTBEAT
        result.socket_timeout = CONNECT_TIMEOUT
        result.stack_timeout = 2 * CONNECT_TIMEOUT
        result.connection_attempts = 1
        result.client_properties = {"connection_name": name, "product": "ki-hub"}
    except (ValueError, TypeError, KeyError):
        raise Misconfigured("KI_HUB_BUS_URL is not a readable amqp URL") from None
    return result


def translate(error: BaseException) -> BusUnavailable:
    """The hub's error for one of pika's or the socket's, without any message content."""
    for cause in _causes(error):
        if isinstance(cause, _REFUSED):
            return BusUnavailable("The broker refuses the hub's user, password or virtual host")
        if isinstance(cause, ChannelClosedByBroker | ConnectionClosedByBroker):
            hint = _HINTS.get(cause.reply_code, "see the broker's log")
            return BusUnavailable(f"The broker hung up with code {cause.reply_code}: {hint}")
    if isinstance(error, AMQPConnectionError | AMQPConnectorException | OSError):
        return BusUnavailable("The broker cannot be reached, or the connection to it was lost")
    return BusUnavailable(f"The broker's client failed ({type(error).__name__})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what pika wrapped in it: in ``exception``, ``exceptions`` or its arguments."""
    yield error
    inner = [*getattr(error, "exceptions", ()), getattr(error, "exception", None), *error.args]
    for cause in inner:
        if isinstance(cause, BaseException):
            yield from _causes(cause)


@contextmanager
def translated() -> Iterator[None]:
    """Raise :func:`translate`'s answer for whatever pika or the socket raises inside."""
    try:
        yield
    except (AMQPError, AMQPConnectorException, OSError) as error:
        raise translate(error) from error


@contextmanager
def connected(params: pika.URLParameters) -> Iterator[pika.BlockingConnection]:
    """A connection of its own, closed afterwards; raises BusUnavailable."""
    with translated():
        try:
            connection = pika.BlockingConnection(params)
        except ValueError as error:
            # What pika raises when the peer hangs up at the moment it has answered.
            raise translate(error) from error
        try:
            yield connection
        finally:
            if connection.is_open:
                connection.close()
