"""Hubs with one promise broken, to see that the checker finds it. Nothing of this is in the
product: a process is started with ``sabotaged/`` on its path, whose ``sitecustomize`` puts the
break in before the command begins."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WHICH = "FAULTS_SABOTAGE"
DELAY = 4.0
"""Seconds between the commit and the effect that should have been part of it."""


def environment(which: str) -> dict[str, str]:
    """For a process that is to be broken so."""
    path = os.pathsep.join((str(HERE / "sabotaged"), str(HERE.parents[1])))
    return {WHICH: which, "PYTHONPATH": path, "KI_HUB_RECEIPT_SECONDS": "3600"}


def confirms_off() -> None:
    """What is published counts as kept before the broker has said so."""
    from hub.bus import publishing  # noqa: PLC0415
    from hub.sending import Confirm  # noqa: PLC0415

    send = publishing.PublishingSession.send

    def send_and_hope(self: Any, parcels: Any, timeout: float) -> list[Confirm]:
        threading.Thread(target=_quietly, args=(send, self, parcels, timeout), daemon=True).start()
        return [Confirm(True) for _ in parcels]

    _put(publishing.PublishingSession, "send", send_and_hope)


def _quietly(send: Any, *arguments: Any) -> None:
    from hub.errors import BusUnavailable  # noqa: PLC0415

    try:
        send(*arguments)
    except BusUnavailable:
        # Nobody is told: that is the sabotage.
        return


def outbox_bypassed() -> None:
    """Deliveries are not rows of the change's transaction: they are made when it is over."""
    from hub.services import publish  # noqa: PLC0415

    reconcile = publish.reconcile

    def afterwards(hub: Any, plan_id: str, directory: Any, actor: str) -> None:
        time.sleep(DELAY)
        with hub.store.writing() as work:
            reconcile(hub, work, plan_id, directory, actor=actor)
            work.commit()

    def bypass(hub: Any, _work: Any, plan_id: str, directory: Any, *, actor: str) -> tuple[()]:
        about = (hub, plan_id, directory, actor)
        threading.Thread(target=afterwards, args=about, daemon=True).start()
        return ()

    _put(publish, "reconcile", bypass)


def idempotency_ignored() -> None:
    """A message id that was used before is free again."""
    from hub.store.inbox import Inbox  # noqa: PLC0415
    from hub.store.tables import INBOX  # noqa: PLC0415

    add = Inbox.add

    def add_again(self: Any, item: Any) -> bool:
        if add(self, item):
            return True
        known = self.find(item.sender, item.message_id)
        change = INBOX.update().where(INBOX.c.id == known.id)
        self._db.execute(change.values(message_id=f"{item.message_id}-{known.id}"))
        return add(self, replace(item))

    _put(Inbox, "add", add_again)


def epoch_ignored() -> None:
    """Frozen bytes leave whatever the citizen has said since."""
    import hub.services  # noqa: PLC0415

    for found in pkgutil.iter_modules(hub.services.__path__, "hub.services."):
        importlib.import_module(found.name)
    asking = [m for n, m in sys.modules.items() if n.startswith("hub.") and hasattr(m, "why_not")]
    assert len(asking) > 1, "nobody asks why_not any more: this sabotage breaks nothing"
    for module in asking:
        _put(module, "why_not", lambda *_: "")


ALL = {
    "confirms": confirms_off,
    "outbox": outbox_bypassed,
    "idempotency": idempotency_ignored,
    "epoch": epoch_ignored,
}


def _put(where: Any, name: str, what: Any) -> None:
    assert hasattr(where, name), f"{where} has no {name} any more: this sabotage breaks nothing"
    setattr(where, name, what)
