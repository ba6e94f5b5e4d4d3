"""Who may see and do what in the console: one table. A page that is not in it is open to nobody.

An operator sees metadata and acts on queues; what a document holds is opened with a reason, and
that is audited. An auditor reads the audit trail. An administrator sees to parties. A lead's or
coordinator's pages are those of their own unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

Role = Literal["operator", "auditor", "administrator", "lead", "coordinator"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

_O: Final[frozenset[Role]] = frozenset({"operator"})
_PARTIES: Final[frozenset[Role]] = frozenset({"operator", "administrator"})
_AUDIT: Final[frozenset[Role]] = frozenset({"auditor"})
_UNIT: Final[frozenset[Role]] = frozenset({"lead", "coordinator"})

OPERATING: Final = _PARTIES | _AUDIT
"""Roles of the operator's pages; the others are a unit's."""
UNIT: Final = _UNIT

PAGES: Final[Mapping[tuple[str, str], frozenset[Role]]] = {
    ("GET", "/"): _O,
    ("GET", "/console/deliveries"): _O,
    ("GET", "/console/deliveries/{delivery}"): _O,
    ("POST", "/console/deliveries/{delivery}/accept-losses"): _O,
    ("GET", "/console/deliveries/{delivery}/in-error"): _O,
    ("POST", "/console/deliveries/{delivery}/in-error"): _O,
    ("GET", "/console/actions"): _O,
    ("POST", "/console/actions"): _O,
    ("GET", "/console/actions/new"): _O,
    ("GET", "/console/actions/{action}"): _O,
    ("GET", "/console/dead-letters"): _O,
    ("GET", "/console/dead-letters/many"): _O,
    ("POST", "/console/dead-letters/many"): _O,
    ("GET", "/console/dead-letters/{letter}"): _O,
    ("POST", "/console/dead-letters/{letter}"): _O,
    ("GET", "/console/plans"): _O,
    ("GET", "/console/plans/{plan}"): _O,
    ("GET", "/console/parties"): _PARTIES,
    ("POST", "/console/parties/{party}/pause"): _PARTIES,
    ("POST", "/console/parties/{party}/resume"): _PARTIES,
    ("POST", "/console/endpoints/reset"): _PARTIES,
    ("GET", "/console/subscriptions"): _O,
    ("POST", "/console/subscriptions/{subscription}/suspend"): _O,
    ("POST", "/console/subscriptions/{subscription}/resume"): _O,
    ("GET", "/console/messages"): _O,
    ("GET", "/console/messages/{message}"): _O,
    ("GET", "/console/messages/{message}/bytes"): _O,
    ("POST", "/console/messages/{message}/bytes"): _O,
    ("GET", "/console/messages/{message}/in-error"): _O,
    ("POST", "/console/messages/{message}/in-error"): _O,
    ("GET", "/console/messages/{message}/release"): _O,
    ("POST", "/console/messages/{message}/release"): _O,
    ("GET", "/console/tasks"): _O,
    ("GET", "/console/audit"): _AUDIT,
    ("GET", "/decisions"): _UNIT,
    ("GET", "/decisions/consent"): _UNIT,
    ("POST", "/decisions/consent"): _UNIT,
    ("GET", "/decisions/approval"): _UNIT,
    ("POST", "/decisions/approval"): _UNIT,
    ("GET", "/decisions/done/{message}"): _UNIT,
    ("GET", "/decisions/proposals"): _UNIT,
    ("GET", "/decisions/proposals/{proposal}"): _UNIT,
    ("POST", "/decisions/proposals/{proposal}"): _UNIT,
    ("GET", "/decisions/letters/{plan}"): _UNIT,
    ("POST", "/decisions/letters/{plan}/{message}"): _UNIT,
    ("GET", "/decisions/access/{plan}"): _UNIT,
    ("POST", "/decisions/tasks/{task}"): _UNIT,
    ("GET", "/decisions/number"): _UNIT,
    ("POST", "/decisions/number"): _UNIT,
    ("GET", "/decisions/no/{plan}"): _UNIT,
    ("POST", "/decisions/no/{plan}"): _UNIT,
    ("GET", "/decisions/deliveries/{delivery}"): _UNIT,
    ("POST", "/decisions/deliveries/{delivery}"): _UNIT,
}
"""Method and path as the route declares it."""

_FIRST: Final = ("/", "/console/audit", "/console/parties", "/decisions")


def may(roles: Iterable[str], method: str, path: str) -> bool:
    """One of the roles is in the page's row."""
    wanted = PAGES.get(("GET" if method == "HEAD" else method, path), frozenset())
    return bool(wanted & set(roles))


def first_page(roles: Iterable[str]) -> str:
    """Where someone with these roles begins."""
    known = set(roles)
    return next((path for path in _FIRST if may(known, "GET", path)), "/")
