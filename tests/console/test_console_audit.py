"""The audit trail at the console, and the list that a unit prints for the citizen."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from hub.model.party import Viewer
from hub.services import queries
from tests.console.conftest import Site
from tests.console.test_console_pages import private_words


def shown(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    return unescape(re.sub(r"<[^>]+>", " ", answer.text))


def plan_of(site: Site, lead: str | None = None) -> Any:
    plans = queries.plans(site.seeded.hub, Viewer("operator", "test"))
    return next(p for p in plans if lead in {None, p.lead})


def actions(site: Site) -> list[str]:
    with site.seeded.hub.store.reading() as work:
        return [r["action"] for r in work.journal.audit_of("", 10_000)]


@pytest.mark.parametrize("language", ["da", "en"])
def test_an_operator_sees_rows_and_nothing_of_what_plans_say(site: Site, language: str) -> None:
    plan = plan_of(site)
    before = actions(site).count("audit-read")
    with site.operator(language) as client:
        for query in ("", f"?plan={plan.id}", "?outcome=denied", "?before=20"):
            answer = client.get(f"/console/audit{query}")
            assert "Havneby" in shown(answer) or query == "?outcome=denied"
            assert [w for w in private_words() if w in answer.text] == []
        link = f'href="/console/audit?plan={plan.id}"'
        assert link in client.get(f"/console/plans/{plan.id}").text
    assert actions(site).count("audit-read") == before + 4


def test_the_lead_prints_the_list_for_the_citizen(site: Site) -> None:
    plan = plan_of(site)
    with site.person(plan.lead) as client:
        assert f'href="/decisions/access/{plan.id}"' in client.get("/decisions").text
        answer = client.get(f"/decisions/access/{plan.id}")
        text = shown(answer)
        assert "Hvem har set planen" in text
        assert "Fik en kopi sendt" in text
        assert "Borgerens samtykke" in text
        more = shown(client.get(f"/decisions/access/{plan.id}?everything=true"))
        assert "Ændrede planen" in more
        assert "Ændrede planen" not in text
    assert [w for w in private_words() if w in answer.text] == []


def test_another_unit_is_not_told_of_the_plan(site: Site) -> None:
    plan = plan_of(site)
    denied = actions(site).count("console")
    with site.person("laege-havnegade") as client:
        assert client.get(f"/decisions/access/{plan.id}").status_code == 404
    assert actions(site).count("console") == denied + 1


def test_without_a_login_there_is_neither(site: Site) -> None:
    with site.visitor() as client:
        assert client.get("/console/audit").status_code == 303
        assert client.get("/decisions/access/x").status_code == 303
