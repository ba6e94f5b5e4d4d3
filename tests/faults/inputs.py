"""Faults of the senders: what was answered comes again, and what was written later comes first."""

from __future__ import annotations

import random
import threading
import time

from tests.faults import cases
from tests.faults.cases import PSYK, SOCIAL
from tests.faults.workload import Desk

MOST = 5


def again(desk: Desk, chance: random.Random) -> None:
    """Some documents that were answered come again, under their ids; the answers are recorded."""
    for sent in chance.sample(desk.answered, min(MOST, len(desk.answered))):
        http = desk.http(sent.party)
        number = desk.recorder.begin(
            kind="again", by=sent.party, case=sent.case, plan=sent.told.plan, message=sent.message
        )
        told = http.document(sent.format, sent.body, sent.media_type, sent.message)
        status = "unknown" if told is None else "ok" if told.status < 300 else "refused"
        desk.recorder.end(number, status=status, version=told.version if told else 0)
        http.close()


def reordered(desk: Desk, chance: random.Random) -> None:
    """Two documents of one sector about one citizen: the one that was made last is sent first."""
    case, party = chance.choice(desk.known), chance.choice((PSYK, SOCIAL))
    part = cases.PARTS[party]
    with case.writing[part]:
        made = [cases.token(part, chance) for _ in range(2)]
        sending = [
            threading.Thread(target=_send, args=(desk, case, party, said))
            for said in reversed(made)
        ]
        for thread in sending:
            thread.start()
            time.sleep(0.03)
        for thread in sending:
            thread.join()


def _send(desk: Desk, case: cases.Case, party: str, said: str) -> None:
    http = desk.http(party)
    desk.publish_own(case, party, http.document, said)
    http.close()
