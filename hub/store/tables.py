"""Every table. Bodies of resources are text, never jsonb: numbers keep their lexeme.

Times are UTC. Nothing here is a foreign key to a receiver's own system.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware time in UTC, in both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> Any:
        """Refuse naive times."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """SQLite gives naive times back; they are UTC."""
        if value is None:
            return None
        assert isinstance(value, datetime)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def id_column(name: str = "id") -> Column[str]:
    """A primary key that the hub gives."""
    return Column(name, String(64), primary_key=True)


META = Table("meta", METADATA, id_column("key"), Column("value", Text, nullable=False))

PARTY = Table(
    "party",
    METADATA,
    id_column(),
    Column("name", Text, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("organisation", Text, nullable=False),
    Column("phone", Text),
    Column("identifiers", JSON, nullable=False),
    Column("transport", String(32), nullable=False),
    Column("address", Text, nullable=False),
    Column("endpoint_secret", Text),
    Column("credential_hash", String(64), unique=True),
    Column("paused", Boolean, nullable=False, default=False),
    Column("paused_by", Text),
    Column("paused_reason", Text),
    Column("updated_at", Moment, nullable=False),
    Column("documents_a_minute", Integer),
    Column("bytes_a_day", BigInteger),
    Column("silent_hours", Integer),
    Column("endpoint", Text, index=True),
    Column("retry", JSON(none_as_null=True)),
)

OPERATOR = Table(
    "operator",
    METADATA,
    id_column(),
    Column("name", Text, nullable=False),
    Column("credential_hash", String(64), unique=True),
)

CITIZEN_IDENTIFIER = Table(
    "citizen_identifier",
    METADATA,
    Column("system", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("citizen_id", String(64), nullable=False, index=True),
)

PLAN = Table(
    "plan",
    METADATA,
    id_column(),
    Column("citizen_id", String(64), nullable=False, index=True),
    Column("lead", ForeignKey("party.id"), nullable=False),
    Column("status", String(32), nullable=False),
    Column("head", Integer, nullable=False),
    Column("consent_epoch", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
)

PART = Table(
    "part",
    METADATA,
    id_column(),
    Column("citizen_id", String(64), nullable=False, index=True),
    Column("plan_id", ForeignKey("plan.id"), index=True),
    Column("owner", ForeignKey("party.id"), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("case_id", Text, nullable=False),
    Column("members", JSON, nullable=False),
    Column("source_inbox", String(64)),
    Column("document_inbox", String(64)),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("owner", "kind", "case_id"),
)

RESOURCE = Table(
    "resource",
    METADATA,
    Column("type", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("owner", String(64), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("written_by", String(64), nullable=False),
    Column("written_at", Moment, nullable=False),
)

PLAN_VERSION = Table(
    "plan_version",
    METADATA,
    Column("plan_id", ForeignKey("plan.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("manifest", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("written_by", String(64), nullable=False),
    Column("written_on", Integer),
    Column("inbox_id", String(64)),
    Column("created_at", Moment, nullable=False),
)

CONSENT = Table(
    "consent",
    METADATA,
    id_column(),
    Column("citizen_id", String(64), nullable=False, index=True),
    Column("facts", JSON, nullable=False),
    Column("body", Text, nullable=False),
    Column("registered_by", String(64), nullable=False),
    Column("registered_at", Moment, nullable=False),
    Column("turn", BigInteger),
)

APPROVAL = Table(
    "approval",
    METADATA,
    id_column(),
    Column("plan_id", ForeignKey("plan.id"), nullable=False, index=True),
    Column("facts", JSON, nullable=False),
    Column("body", Text, nullable=False),
    Column("registered_by", String(64), nullable=False),
    Column("registered_at", Moment, nullable=False),
)

ACCESS = Table(
    "access",
    METADATA,
    Column("plan_id", ForeignKey("plan.id"), primary_key=True),
    Column("party", ForeignKey("party.id"), primary_key=True),
    Column("section", String(32), primary_key=True),
    Column("purpose", String(32), primary_key=True),
    Column("since", Moment, primary_key=True),
    Column("until", Moment, nullable=False),
    Column("basis", Text, nullable=False),
)

INBOX = Table(
    "inbox",
    METADATA,
    id_column(),
    Column("sender", ForeignKey("party.id"), nullable=False),
    Column("message_id", Text, nullable=False),
    Column("format", String(64), nullable=False),
    Column("media_type", Text, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("request", JSON(none_as_null=True)),
    Column("body", LargeBinary),
    Column("body_hash", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("status", Integer),
    Column("answer", Text),
    Column("answered", Boolean, nullable=False, default=False),
    Column("plan_id", String(64), index=True),
    Column("plan_version", Integer),
    Column("citizen_id", String(64), index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease_until", Moment),
    Column("received_at", Moment, nullable=False),
    Column("delete_after", Moment),
    Column("turn", BigInteger),
    UniqueConstraint("sender", "message_id"),
    Index("ix_inbox_state_received_at", "state", "received_at"),
    Index("ix_inbox_sender_turn", "sender", "turn"),
)

DELIVERY = Table(
    "delivery",
    METADATA,
    id_column(),
    Column("plan_id", ForeignKey("plan.id")),
    Column("document", String(64)),
    Column("receiver", String(64), nullable=False),
    Column("subscription", String(64), nullable=False, default=""),
    Column("about", String(128), nullable=False, default=""),
    Column("event", Integer),
    Column("format", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("retry_at", Moment),
    Column("lease_until", Moment),
    Column("claim", String(64)),
    Column("consent_epoch", Integer),
    Column("sections", JSON(none_as_null=True)),
    Column("sequence", Integer),
    Column("message_id", Text, index=True),
    Column("body", LargeBinary),
    Column("media_type", Text),
    Column("outcome", String(16)),
    Column("ruling", String(16)),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("ix_delivery_plan_id_receiver", "plan_id", "receiver"),
    Index("ix_delivery_document_receiver", "document", "receiver"),
    Index("ix_delivery_subscription_event", "subscription", "event"),
    Index("ix_delivery_state_retry_at", "state", "retry_at"),
    Index(
        "ux_delivery_sequence",
        "plan_id",
        "receiver",
        "subscription",
        "format",
        "sequence",
        unique=True,
    ),
    Index(
        "ux_delivery_document_sequence",
        "document",
        "receiver",
        "format",
        "sequence",
        unique=True,
    ),
)

DELIVERY_EVENT = Table(
    "delivery_event",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", ForeignKey("delivery.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
)

LOSS = Table(
    "loss",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", ForeignKey("delivery.id"), index=True),
    Column("inbox_id", ForeignKey("inbox.id"), index=True),
    Column("path", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("reason", Text, nullable=False),
)

TASK = Table(
    "task",
    METADATA,
    id_column(),
    Column("kind", String(32), nullable=False),
    Column("party", String(64), nullable=False, index=True),
    Column("plan_id", String(64), index=True),
    Column("delivery_id", String(64), index=True),
    Column("inbox_id", String(64)),
    Column("document", String(64), index=True),
    Column("text", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("done_by", Text),
)

HOP = Table(
    "hop",
    METADATA,
    id_column(),
    Column("plan_id", ForeignKey("plan.id"), nullable=False, index=True),
    Column("from_party", String(64), nullable=False),
    Column("to_party", String(64), nullable=False),
    Column("person", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

QUEUE_MESSAGE = Table(
    "queue_message",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("queue", String(128), nullable=False),
    Column("key", String(128), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("at", Moment, nullable=False),
    Column("settled_at", Moment),
    UniqueConstraint("queue", "key"),
)
