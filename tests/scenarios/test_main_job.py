"""The main job on both deployments, through the published interfaces alone."""

from __future__ import annotations

import json
from collections import Counter
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
    assert deployment.stop() == [0] * len(deployment.commands)
    listed = json.loads(deployment.run("deliveries", "--json"))
    assert {d["delivery"] for d in listed} == {d["delivery"] for d in report["deliveries"]}


def test_nothing_personal_is_logged(deployment: Deployment, broker: str) -> None:
    """Neither the citizens' names and numbers nor the plan's words stand in any log line."""
    credentials = deployment.prepare()
    deployment.start()
    with closing(world(deployment.base, credentials, broker)) as sectors:
        assert play(sectors, seed=4).failed is None
    deployment.stop()
    log = deployment.log.read_text()
    assert "message.applied" in log
    for secret in ("Karla", "Nygaard", "Lindahl", "999", "Struktur", *credentials.values()):
        found = [line for line in log.splitlines() if secret in line and "KI_HUB" not in line]
        found = [x for x in found if secret != "999" or _cpr_shaped(x)]
        assert not found, f"{len(found)} log lines hold personal data or a credential"


def _cpr_shaped(line: str) -> bool:
    import re  # noqa: PLC0415

    return re.search(r"(?<![\w.-])\d{6}999\d(?![\w-])", line) is not None
