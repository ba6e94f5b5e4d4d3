"""Step 2: understand a kept message and do what it asks; the answer is part of the same commit.

A message is claimed for a while, so that a crash leaves it to the next worker. What cannot be
understood is kept for the operator; what has no legal basis is sealed.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from hub.contract import (
    Correspondence,
    Decision,
    Identifier,
    Parsed,
    PlanUpdate,
    Receipt,
)
from hub.errors import (
    HubError,
    InputRefused,
    Issue,
    NoLegalBasis,
    NotFound,
    StoreUnavailable,
    Temporary,
    WrongSender,
)
from hub.fhir.codec import dump_json
from hub.fhir.kinds import declaring
from hub.fhir.outcome import error_outcome, outcome, status_of
from hub.model.party import SYSTEM, Directory, RegisteredParty
from hub.model.records import InboxItem, InboxState, Task
from hub.services.answers import Answer
from hub.services.apply import apply_update
from hub.services.converse import (
    acknowledgement,
    met_before,
    outcome_for,
    outcome_of,
    put_on_its_way,
    raw,
    says_the_same,
)
from hub.services.decide import record_decision
from hub.services.had import Had, MovedError, find_had
from hub.services.hub import Hub, repeatable
from hub.services.incomplete import NoConsentError, ask_to_complete, bare_consent
from hub.services.letters import receive_letter
from hub.services.media import expect_media_type
from hub.services.others import Said, find_said
from hub.services.received import issues_of
from hub.services.settle import settle
from hub.services.write import write
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
PATIENCE: Final = 5.0
"""Seconds that a caller waits for who has the same message in hand."""
PAUSE: Final = 0.1
_SEALED = "A person's message may be shown to nobody here; see that its sender has been reached"
_TRIES: Final = 5
"""So often is a document merged anew because others wrote meanwhile."""


class _AnsweredElsewhereError(Exception):
    """Another worker took the message for abandoned and was done first; nothing is done twice."""


def process(hub: Hub, item_id: str) -> InboxItem:
    """Process one message unless it is done or in other hands; returns it as it then stands.

    Raises Temporary when it could not be done now; it will be tried again.
    """
    with hub.store.writing() as work:
        claimed = work.inbox.claim(item_id, hub.clock(), hub.limits.process_lease)
        item = work.inbox.get(item_id, SYSTEM)
        directory = work.parties.directory()
        sender = work.parties.get(item.sender) if item else None
        if claimed:
            work.commit()
    if item is None or sender is None:
        raise NotFound("No such message")
    if claimed:
        with hub.hand.message(item_id):
            _handle(hub, item, sender, directory)
        hub.wake.set()
    with hub.store.reading() as work:
        found = work.inbox.get(item_id, SYSTEM)
    assert found is not None
    return found


def answered(hub: Hub, item_id: str, *, patience: float = PATIENCE) -> InboxItem:
    """As :func:`process`, but waits while the message is in other hands; then it may be unanswered.

    A worker may find a message before the request that brought it goes on.
    """
    until = time.monotonic() + patience
    while True:
        item = process(hub, item_id)
        if item.answer is not None or time.monotonic() > until:
            return item
        time.sleep(PAUSE)


def _handle(hub: Hub, item: InboxItem, sender: RegisteredParty, directory: Directory) -> None:
    log = LOG.bind(inbox=item.id, sender=item.sender, format=item.format)
    if item.attempts > hub.limits.process_claims:
        log.error("message.never.ends", attempt=item.attempts)
        _set_aside(hub, item, sender)
        return
    try:
        state = _answered(hub, item, sender, directory)
        log.info("message.applied", state=state)
    except _AnsweredElsewhereError:
        log.warning("message.answered.elsewhere", attempt=item.attempts)
    except NoLegalBasis as e:
        _refuse(hub, item, sender, e, sealed=True)
        log.warning("message.sealed", number=e.number)
    except Temporary:
        # Nobody's fault, however long it lasts: a full disk sets no message aside.
        _give_back(hub, item, counted=False)
        raise
    except HubError as e:
        _refuse(hub, item, sender, e)
        log.warning("message.refused", number=e.number)
    except Exception as e:
        # A message that breaks the hub itself must neither be lost nor stop the others.
        log.error("message.failed", error=type(e).__name__, attempt=item.attempts)
        if item.attempts >= hub.limits.process_attempts:
            _set_aside(hub, item, sender)
        else:
            _give_back(hub, item)
        if item.attempts == 1:
            log.error("message.failed.where", at=_where(e))


def _answered(
    hub: Hub, item: InboxItem, sender: RegisteredParty, directory: Directory
) -> InboxState:
    """Do what it asks, with the answer in the same commit."""
    if item.request is not None:
        settle_ = partial(_settle, hub, item)
        return write(hub, item, sender, directory, _understand, settle_).state
    with hub.store.writing() as work:
        first = met_before(hub, work, item, sender)
        work.commit()
    if first is not None:
        return _answer_like(hub, item, sender, first)
    parsed = _understand(hub, item, sender, directory)
    acknowledged = acknowledgement(hub, item, sender, "ok")
    for _ in range(_TRIES):
        had, said = None, None
        if isinstance(parsed, PlanUpdate):
            had = find_had(hub, item, sender.party, directory, parsed)
            said = find_said(hub, item, sender.party, directory, parsed)
        try:
            with hub.store.writing() as work:
                answer = _do(hub, work, item, sender, directory, parsed, had, said)
                _settle(hub, item, work, answer)
                put_on_its_way(hub, work, item, acknowledged)
                work.commit()
        except MovedError:
            continue
        return answer.state
    raise StoreUnavailable("Others are writing the same; it is tried again")


def _answer_like(
    hub: Hub, item: InboxItem, sender: RegisteredParty, first: InboxItem
) -> InboxState:
    """The same message in another envelope: nothing is done twice, the answer is the same."""
    outcome, issues = outcome_of(first), issues_of(first.answer)
    acknowledged = acknowledgement(hub, item, sender, outcome, issues, first=first)
    plan = (first.plan_id, first.plan_version or 0) if first.plan_id else None
    same = says_the_same(hub, item, first, sender)
    if not same:
        LOG.warning("message.again.other.content", message=item.id, first=first.id)
    with hub.store.writing() as work:
        if not work.inbox.settle(
            item.id, first.state, first.status or 200, first.answer or "", plan=plan
        ):
            raise _AnsweredElsewhereError
        unread = "" if same else ", other content was not read"
        _audit(hub, work, item, f"again/{first.id}{unread}")
        put_on_its_way(hub, work, item, acknowledged)
        work.commit()
    return first.state


def _understand(hub: Hub, item: InboxItem, sender: RegisteredParty, directory: Directory) -> Parsed:
    assert item.body is not None
    party = sender.party
    local = hub.local(party.id, item.format)
    context = replace(hub.context(directory, party, party.id, local=local), now=item.received_at)
    adapter = hub.adapters.adapter(item.format)
    expect_media_type(hub.adapters, adapter, item.media_type)
    parsed = adapter.parse(raw(item, sender), context)
    claimed: tuple[Identifier, ...] = getattr(parsed, "claimed_sender", ())
    if claimed and directory.find(claimed) != party:
        text = "The document names another sender than the one who sent it"
        raise WrongSender(text, at=getattr(parsed, "claimed_at", None))
    if isinstance(parsed, PlanUpdate) and not parsed.validated:
        found = tuple(hub.validator.check(declaring(r) for r in parsed.resources))
        if any(i.severity in {"error", "fatal"} for i in found):
            raise InputRefused("The content is not valid FHIR R4", issues=found)
        return replace(parsed, issues=parsed.issues + found)
    return parsed


def _do(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: RegisteredParty,
    directory: Directory,
    parsed: Parsed,
    had: Had | None,
    said: Said | None,
) -> Answer:
    match parsed:
        case PlanUpdate():
            return apply_update(hub, work, item, sender.party, directory, parsed, had, said)
        case Decision():
            return record_decision(hub, work, item, sender.party, directory, parsed)
        case Receipt():
            settle(hub, work, sender.party, parsed)
            return Answer("applied", (Issue("information", "informational", "Receipt noted"),))
        case Correspondence():
            return receive_letter(hub, work, item, sender.party, directory, parsed)


def _settle(hub: Hub, item: InboxItem, work: UnitOfWork, answer: Answer) -> None:
    body = dump_json(answer.resource).decode()
    if not work.inbox.settle(
        item.id, answer.state, answer.status, body, plan=answer.plan, citizen=answer.citizen
    ):
        raise _AnsweredElsewhereError
    work.journal.close_tasks("hub", hub.clock(), task_id=repeatable(item.id, "set-aside"))
    _audit(hub, work, item, answer.state, basis=answer.basis, citizen=answer.citizen)


def _audit(
    hub: Hub, work: UnitOfWork, item: InboxItem, detail: str, *, basis: str = "",
    citizen: str | None = None,
) -> None:  # fmt: skip
    work.journal.audit(
        hub.clock(), item.sender, "receive", f"inbox/{item.id}", party=item.sender, basis=basis,
        detail=detail, citizen=citizen,
    )  # fmt: skip


def _refuse(
    hub: Hub, item: InboxItem, sender: RegisteredParty, error: HubError, *, sealed: bool = False
) -> None:
    now = hub.clock()
    acknowledged = acknowledgement(hub, item, sender, outcome_for(error), error.issues)
    with hub.store.writing() as work:
        settled = work.inbox.settle(
            item.id,
            "sealed" if sealed else "refused",
            status_of(error),
            dump_json(error_outcome(error)).decode(),
            delete_after=now + timedelta(days=hub.limits.seal_days) if sealed else None,
        )
        if not settled:
            return
        work.journal.audit(
            now, item.sender, "receive", f"inbox/{item.id}", party=item.sender,
            outcome="denied" if sealed else "refused", detail=f"KI-{error.number}",
        )  # fmt: skip
        put_on_its_way(hub, work, item, acknowledged)
        if sealed and acknowledged is not None:
            _ask_operator(work, item, "sealed", _SEALED, now)
        elif isinstance(error, NoConsentError):
            ask_to_complete(work, item, error.citizen, now, sealed=True)
        elif isinstance(error, InputRefused):
            ask_to_complete(work, item, bare_consent(item), now, sealed=False)
        work.commit()


def _give_back(hub: Hub, item: InboxItem, *, counted: bool = True) -> None:
    with hub.store.writing() as work:
        again = hub.clock() + timedelta(seconds=item.attempts)
        work.inbox.release(item.id, again, counted=counted)
        work.commit()


def _set_aside(hub: Hub, item: InboxItem, sender: RegisteredParty) -> None:
    now = hub.clock()
    text = "The hub could not process this message; its bytes are kept, its sender is told"
    acknowledged = acknowledgement(hub, item, sender, "transient")
    found = Issue("fatal", "exception", "The hub failed on this message; its operator is told")
    with hub.store.writing() as work:
        answer = dump_json(outcome((found,), move="operator")).decode()
        if not work.inbox.settle(item.id, "set-aside", 500, answer):
            return
        _ask_operator(work, item, "set-aside", text, now)
        put_on_its_way(hub, work, item, acknowledged)
        work.commit()


def _ask_operator(work: UnitOfWork, item: InboxItem, kind: str, text: str, now: datetime) -> None:
    task_id = repeatable(item.id, kind)
    work.journal.open_task(Task(task_id, kind, OPERATOR, text, None, None, item.id, now))


def _where(error: BaseException) -> str:
    """The code's own line, never the message: it may hold a value from the document."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return f"{last.tb_frame.f_code.co_name}:{last.tb_lineno}" if last else "unknown"
