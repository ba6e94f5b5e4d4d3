"""The format's rules that neither the schema nor a table row can say.

Of an agreement, without a mark for coordination, purpose, offers (except medical treatment) with
their responsible, period and follow-up, and the next follow-up are marked; everything else is
not. Of a coordination plan nothing is shared, whatever its marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from adapters.xml_plan.document import Record
from adapters.xml_plan.rules import is_marked, members, owner, period, refuse
from hub.errors import Issue, Severity

AGREEMENT: Final = "DischargeAgreement"
PLAN: Final = "CoordinationPlan"
MEDICAL: Final = "medicinsk-behandling"
"""The type of offer that is not marked for coordination unless its author marks it."""

_ACCEPTED, _WAITING = "accepteret", "afventer"
_IN_FORCE, _DRAFT = "gaeldende", "under-udarbejdelse"


def check(content: Record, root: str) -> None:
    """Raise Invalid with every broken rule; ``content`` is the record of the element ``root``."""
    refuse(
        [
            *owner(content, f"/{root}"),
            *_own_party(content, root),
            *_answers(content, root),
            *(issue for at, offer in _offers(content, root) for issue in period(offer, at)),
            *_citizen(content, root),
            *(_unaccepted(content, root, "error") if _status(content) == _IN_FORCE else ()),
        ]
    )


def warnings(content: Record, root: str) -> tuple[Issue, ...]:
    """What the sender should know about a document that is accepted all the same."""
    waits = _unaccepted(content, root, "warning") if _status(content) == _DRAFT else ()
    marks = _medical(content, root) if root == AGREEMENT else _marks_without_effect(content, root)
    return (*waits, *marks)


def _status(content: Record) -> str:
    return str(content["PlanVersion"]["PlanStatusCode"])


def _offers(content: Record, root: str) -> Iterator[tuple[str, Record]]:
    for number, offer in enumerate(members(content, "Offers", "Offer"), 1):
        yield f"/{root}/Offers/Offer[{number}]", offer


def _parties(content: Record, root: str) -> Iterator[tuple[str, Record]]:
    for number, party in enumerate(members(content, "Parties", "Party"), 1):
        yield f"/{root}/Parties/Party[{number}]", party


def _is_own(content: Record, party: Record) -> bool:
    """The party is the unit that owns the document."""
    own = content["ResponsibleUnit"]["UnitSORIdentifier"]
    return bool(party.get("UnitSORIdentifier") == own)


def _own_party(content: Record, root: str) -> Iterator[Issue]:
    """The psychiatric department is a party itself (psykiatriloven §§ 13 a and 13 b)."""
    if not any(_is_own(content, party) for _, party in _parties(content, root)):
        text = "The responsible unit is not among the parties; add it with its SOR code"
        yield Issue("error", "business-rule", text, f"/{root}/Parties")


def _answers(content: Record, root: str) -> Iterator[Issue]:
    """An answer has its time; without one nobody can tell what it covers."""
    answers = [(f"{at}/Acceptance", p["Acceptance"]) for at, p in _parties(content, root)]
    if "CitizenAcceptance" in content:
        answers.insert(0, (f"/{root}/CitizenAcceptance", content["CitizenAcceptance"]))
    for at, answer in answers:
        answered = answer["AcceptanceStatusCode"] != _WAITING
        if answered and not answer.get("AcceptanceDateTime"):
            text = "The answer has no time; state when the party answered"
            yield Issue("error", "required", text, f"{at}/AcceptanceDateTime")


def _citizen(content: Record, root: str) -> Iterator[Issue]:
    """An agreement in force is the citizen's too (§ 13 a); otherwise it is not one."""
    if root != AGREEMENT or _status(content) != _IN_FORCE:
        return
    if content["CitizenAcceptance"]["AcceptanceStatusCode"] != _ACCEPTED:
        yield Issue(
            "error",
            "business-rule",
            "The agreement is in force without the citizen's acceptance; send it as a draft, or a "
            "coordination plan if the citizen will not take part",
            f"/{root}/CitizenAcceptance/AcceptanceStatusCode",
        )


def _unaccepted(content: Record, root: str, severity: Severity) -> Iterator[Issue]:
    """Offers of other parties that these have not accepted as they now are."""
    parties = {p["PartyIdentifier"]: p for _, p in _parties(content, root)}
    for at, offer in _offers(content, root):
        party = parties[offer["ResponsiblePartyIdentifier"]]
        if _is_own(content, party):
            continue
        answer, changed = party["Acceptance"], offer.get("LastChangedDateTime")
        if answer["AcceptanceStatusCode"] != _ACCEPTED:
            text = "Another party's offer without that party's acceptance; record it first"
            yield Issue(severity, "business-rule", text, f"{at}/ResponsiblePartyIdentifier")
        elif changed and not _covers(answer.get("AcceptanceDateTime"), changed):
            text = "Another party's offer was changed after that party accepted; record it anew"
            yield Issue(severity, "business-rule", text, f"{at}/LastChangedDateTime")


def _covers(answered: str | None, changed: str) -> bool:
    """The answer is from the change or later; an answer without a time covers nothing."""
    if not answered:
        return False
    return datetime.fromisoformat(answered) >= datetime.fromisoformat(changed)


def _medical(content: Record, root: str) -> Iterator[Issue]:
    text = "A medical treatment is marked for coordination; others will be able to see its text"
    for at, offer in _offers(content, root):
        if offer["OfferTypeCode"] == MEDICAL and is_marked(offer):
            yield _about_mark(at, text)


def _marks_without_effect(content: Record, root: str) -> Iterator[Issue]:
    text = "A coordination plan is shown to nobody but its sender; the mark has no effect"
    for at, item in (*_singles(content, root), *_offers(content, root)):
        if is_marked(item):
            yield _about_mark(at, text)


def _singles(content: Record, root: str) -> Iterable[tuple[str, Record]]:
    names = ("Purpose", "Supervision", "ContactTrigger", "Termination", "NextFollowUp")
    return [(f"/{root}/{name}", content[name]) for name in names if name in content]


def _about_mark(at: str, text: str) -> Issue:
    return Issue("warning", "business-rule", text, f"{at}/CoordinationIndicator")
