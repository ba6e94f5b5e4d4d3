"""What the database holds when everything has come to rest, read past the hub."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, LiteralString

import psycopg

from tests.faults.cases import tokens_in
from tests.faults.records import Aftermath, DeliveryRow, InboxRow, Sending, VersionRow

Connection = psycopg.Connection[tuple[Any, ...]]

_AT_REST = """
SELECT (SELECT count(*) FROM delivery WHERE subscription = ''
        AND (state IN ('due', 'sending', 'retry_at') OR (state = 'sent' AND receiver <> 'citizen')))
     + (SELECT count(*) FROM inbox WHERE state = 'received')
"""
_UNSETTLED = """
SELECT (SELECT count(*) FROM withdrawal WHERE settled_at IS NULL)
     + (SELECT count(*) FROM recall WHERE open)
"""
_DELIVERIES = """
SELECT d.id, d.plan_id, d.receiver, d.version, d.state, d.format, d.retry_at IS NOT NULL,
       EXISTS (SELECT 1 FROM task t WHERE t.delivery_id = d.id AND t.done_at IS NULL),
       EXISTS (SELECT 1 FROM audit a WHERE a.action = 'disclose' AND a.outcome = 'success'
               AND a.detail = 'delivery/' || d.id),
       d.about LIKE 'notice/%'
FROM delivery d WHERE d.plan_id IS NOT NULL AND d.subscription = ''
"""
_SENDINGS = """
SELECT e.delivery_id, extract(epoch FROM pg_xact_commit_timestamp(e.xmin))
FROM delivery_event e JOIN delivery d ON d.id = e.delivery_id
WHERE e.state = 'sending' AND d.plan_id IS NOT NULL AND d.subscription = ''
"""
_VERSIONS = """
SELECT v.plan_id, v.number, i.sender, i.message_id, v.manifest
FROM plan_version v JOIN inbox i ON i.id = v.inbox_id
"""


def waiting(connection: Connection) -> int:
    """Deliveries and messages that somebody still has to do something about by himself."""
    return sum(_number(connection, question) for question in (_AT_REST, _UNSETTLED))


def _number(connection: Connection, question: LiteralString) -> int:
    return int(connection.execute(question).fetchall()[0][0])


def acknowledged(connection: Connection) -> int:
    """Messages whose answer says that they were taken."""
    return _number(connection, "SELECT count(*) FROM inbox WHERE status < 300")


def aftermath(connection: Connection) -> Aftermath:
    """Everything the checker asks about."""
    deliveries = tuple(DeliveryRow(*row) for row in connection.execute(_DELIVERIES))
    sendings = tuple(Sending(i, float(at)) for i, at in connection.execute(_SENDINGS))
    inbox = connection.execute("SELECT sender, message_id, state FROM inbox")
    return Aftermath(
        deliveries=deliveries,
        sendings=sendings,
        versions=tuple(_versions(connection)),
        inbox=tuple(InboxRow(*row) for row in inbox),
        unsettled=_number(connection, _UNSETTLED),
    )


def _versions(connection: Connection) -> list[VersionRow]:
    said: dict[tuple[str, str, int], dict[str, str]] = defaultdict(dict)
    for kind, name, number, body in connection.execute(
        "SELECT type, id, version, body FROM resource WHERE body LIKE '%t-%'"
    ):
        said[kind, name, number] = tokens_in(body)
    found = []
    for plan, number, sender, message, manifest in connection.execute(_VERSIONS):
        parts = json.loads(manifest) if isinstance(manifest, str) else manifest
        tokens: dict[str, str] = {}
        for members in parts.values():
            for kind, name, version in members:
                tokens |= said.get((kind, name, int(version)), {})
        found.append(VersionRow(plan, number, sender, message, tokens))
    return found
