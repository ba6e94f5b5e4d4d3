"""The main job on both deployments, through the published interfaces alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection
from contextlib import closing

import pytest

from hub.demo.play import play, world
from tests.scenarios.deployment import Deployment

pytestmark = pytest.mark.timeout(240)


def test_every_step_happens_on_the_deployment(deployment: Deployment, broker: str) -> None:
    """All steps; then what the report says of them."""
    credentials = deployment.prepare()
    deployment.start()
    with closing(world(deployment.base, credentials, broker)) as sectors:
        played = play(sectors)

    assert played.failed is None
    report = played.report
    assert len(report["plans"]) == 2
    assert all(d["legal_basis"] for d in report["deliveries"])
    delivered = Counter(d["receiver"] for d in report["deliveries"] if d["state"] == "delivered")
    assert delivered["laege-havnegade"] == 2, "Karla's first copy and its sector update"
    assert {b["receiver"] for b in report["blocked"]} == {
        "laege-havnegade", "koord-nordstrand", "koord-havneby",
    }  # fmt: skip
    assert all(s.resent == 0 for s in sectors.sectors.values()), "no fault, no resend"
    assert {loss["kind"] for loss in report["losses"]} <= {
        "dropped", "coarsened", "defaulted", "reordered",
    }  # fmt: skip
    _nothing_personal_in(deployment.log.read_text(), credentials.values())
    assert deployment.stop() == [0] * len(deployment.commands)
    listed = json.loads(deployment.run("deliveries", "--json"))
    assert {d["delivery"] for d in listed} == {d["delivery"] for d in report["deliveries"]}


def _nothing_personal_in(log: str, credentials: Collection[str]) -> None:
    """Neither the citizens' names and numbers, the plan's words, nor a credential."""
    assert "message.applied" in log
    for secret in ("Karla", "Nygaard", "Lindahl", "Struktur", *credentials):
        assert not [x for x in log.splitlines() if secret in x], "personal data, or a credential"
    assert not [x for x in log.splitlines() if _cpr_shaped(x)], "a CPR number"


def _cpr_shaped(line: str) -> bool:
    return re.search(r"(?<![\w.-])\d{6}999\d(?![\w-])", line) is not None
