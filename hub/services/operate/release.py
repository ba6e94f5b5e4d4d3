"""A message that was set aside is taken up again, once what broke on it is mended."""

from __future__ import annotations

from hub.errors import Invalid, NotFound
from hub.model.party import Viewer
from hub.services.hub import Hub
from hub.services.kept import kept_reason
from hub.services.overview import for_operators


def release(hub: Hub, viewer: Viewer, message: str, *, reason: str, actor: str = "") -> None:
    """Process it again, as it came and as when it came: a newer document of the case stands.

    Its sender gets the answer of this time. Raises NotFound, and Invalid for what is not set
    aside, or whose bytes are deleted.
    """
    for_operators(viewer)
    why, now, by = kept_reason(reason), hub.clock(), actor or viewer.id
    with hub.store.writing() as work:
        item = work.inbox.get(message, viewer)
        if item is None:
            raise NotFound("No such message is known to you")
        if item.state != "set-aside":
            raise Invalid("The message is not set aside; nothing was changed")
        if item.body is None:
            raise Invalid("Its bytes are deleted; its sender must send it again")
        if not work.inbox.release_set_aside(message):
            raise Invalid("The message is not set aside; nothing was changed")
        work.journal.close_tasks(by, now, inbox_id=message, kind="set-aside")
        work.journal.audit(
            now, by, "release", f"inbox/{message}", party=item.sender, role="operator", reason=why
        )
        work.commit()
    hub.wake.set()
