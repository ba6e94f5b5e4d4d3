"""A refused request is audited before it is answered: who asked, for what, and by which rule."""

from __future__ import annotations

from typing import Final

from fastapi import Request

from hub.api.security import Caller, the_hub
from hub.errors import HubError, NotPermitted, OverQuota, ScopeMissing, Temporary
from hub.model.party import Viewer
from hub.services.denied import audit_refusal, refuse_stranger, spelled
from hub.services.hub import Hub

_NO_DENIALS: Final = (ScopeMissing, OverQuota)
"""The first is written down where it is raised, the second is a matter of time."""
_READS: Final = frozenset({"GET", "HEAD"})


def audited(request: Request, error: HubError) -> HubError:
    """The error to answer with: the same, or that it could not be written down."""
    if not isinstance(error, NotPermitted) or isinstance(error, _NO_DENIALS):
        return error
    try:
        _audit(request, the_hub(request), error)
    except Temporary as e:
        return e
    return error


def _audit(request: Request, hub: Hub, error: NotPermitted) -> None:
    action = "read" if request.method in _READS else "act"
    named = {k: str(v) for k, v in request.path_params.items()}
    address = f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"
    viewer = _who(request)
    if viewer is not None:
        audit_refusal(hub, viewer, action, address, named, error)
    elif request.headers.get("Authorization"):
        # Without a credential it is the noise of the network.
        refuse_stranger(hub, spelled(address, named), reason=error.text)


def _who(request: Request) -> Viewer | None:
    caller: Caller | None = getattr(request.state, "caller", None)
    return None if caller is None else Viewer(caller.kind, caller.owner)
