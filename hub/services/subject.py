"""Everything the hub holds about a citizen, as files: for who asks what is held about them.

File names are numbers and kinds; none of them, and no line of the index, names anybody. What the
files hold is the citizen's own and others' words about the citizen: whoever hands it out reads it
first.
"""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hub.fhir.audit_event import audit_event, bundle
from hub.fhir.bundles import collection
from hub.fhir.codec import dump_json
from hub.model.access_record import lines
from hub.model.alone import KINDS
from hub.model.party import SYSTEM, Viewer
from hub.services.access_record import line_row
from hub.services.hub import Hub, repeatable
from hub.services.kept import kept_reason
from hub.services.whose import Whose, subject_of
from hub.store.trail import Wanted
from hub.store.work import UnitOfWork

EXPORT: Final = "subject-export"


@dataclass(frozen=True)
class HeldFile:
    """One file of the copy."""

    name: str
    about: str
    body: bytes


def everything_held(hub: Hub, viewer: Viewer, whose: Whose, *, reason: str) -> list[HeldFile]:
    """All files, the index first, once the export is committed to the audit trail.

    Raises Invalid without a reason that can be kept, NotFound for no such plan or citizen.
    """
    why = kept_reason(reason)
    named = subject_of(hub, viewer, whose, EXPORT)
    citizen = named.citizen
    with hub.store.reading() as work:
        files = [*_plans(hub, work, citizen), *_alone(hub, work, citizen),
                 *_records(work, citizen), *_bytes(work, citizen),
                 *_trail(hub, work, citizen)]  # fmt: skip
    with hub.store.writing() as work:
        work.journal.audit(
            hub.clock(), viewer.id, EXPORT, named.place, role="operator", reason=why,
            citizen=citizen,
        )  # fmt: skip
        work.commit()
    index = [{"file": f.name, "holds": f.about} for f in files]
    return [HeldFile("index.json", "what there is", _json(index)), *files]


def _plans(hub: Hub, work: UnitOfWork, citizen: str) -> Iterator[HeldFile]:
    found = work.plans.of_citizen(citizen, SYSTEM, hub.clock())
    for n, one in enumerate(sorted(found, key=lambda p: p.id), 1):
        for version in work.plans.versions(one.id):
            keys = [key for part in version.manifest.values() for key in part]
            made = collection(
                work.plans.resources(keys), hub.base_url,
                id=repeatable("subject", one.id, str(version.number)),
                timestamp=version.created_at.isoformat(),
            )  # fmt: skip
            yield HeldFile(
                f"plans/plan-{n}-version-{version.number}.json",
                "one version of a plan, with its sector plans, as FHIR",
                dump_json(made, indent=2),
            )


def _alone(hub: Hub, work: UnitOfWork, citizen: str) -> Iterator[HeldFile]:
    """What is of no plan and never will be; its older versions are among the records."""
    for n, part in enumerate(work.documents.of_kinds(KINDS, citizen), 1):
        made = collection(
            work.plans.resources(part.members), hub.base_url, id=repeatable("subject", part.id),
            timestamp=hub.clock().isoformat(),
        )  # fmt: skip
        about = "a sector plan that stands alone, as it is now, as FHIR"
        yield HeldFile(f"alone/plan-{n}.json", about, dump_json(made, indent=2))


def _records(work: UnitOfWork, citizen: str) -> Iterator[HeldFile]:
    for name, rows in work.subject.tables(citizen).items():
        yield HeldFile(f"records/{name}.json", f"{len(rows)} rows of {name}", _json(rows))


def _bytes(work: UnitOfWork, citizen: str) -> Iterator[HeldFile]:
    kinds = (
        ("documents", "document", "a document as received", work.subject.documents(citizen)),
        ("deliveries", "delivery", "a document as sent", work.subject.deliveries(citizen)),
    )
    for folder, name, about, found in kinds:
        for n, (own, media_type, body) in enumerate(found, 1):
            yield HeldFile(f"{folder}/{name}-{n}.{_ending(media_type)}", f"{about}: {own}", body)


def _trail(hub: Hub, work: UnitOfWork, citizen: str) -> Iterator[HeldFile]:
    pseudonym = work.trail.pseudonym_of(citizen)
    rows = list(work.trail.every(Wanted(citizen=pseudonym))) if pseudonym else []
    told = [line_row(line) for line in lines(rows, "da", everything=True)]
    yield HeldFile("audit/access-record.json", "who has seen what, in Danish", _json(told))
    events = bundle([audit_event(row, hub.base_url) for row in rows])
    yield HeldFile("audit/events.json", "the same as FHIR AuditEvents", _json(events))


def _ending(media_type: str) -> str:
    """The usual ending of the kind; nothing that only the sender says."""
    plain = media_type.partition(";")[0].strip().lower()
    ending = re.split(r"[/+]", plain)[-1]
    if ending in {"json", "xml"}:
        return ending
    return (mimetypes.guess_extension(plain) or ".bin").removeprefix(".")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2, default=_plain).encode()


def _plain(value: Any) -> str:
    """Times and numbers as they are written."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
