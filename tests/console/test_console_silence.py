"""The page of parties says who is silent; the command says what is not as it should be."""

from __future__ import annotations

import json
from dataclasses import replace

from click.testing import CliRunner
from sqlalchemy import update

from hub.cli.main import cli
from hub.model.agreement import Agreement, Agreements
from hub.services.silence import watch_silence
from hub.services.state import set_agreements
from hub.store.tables import DELIVERY
from tests.api.world import RUS
from tests.console.conftest import Site


def test_the_page_of_parties_says_who_is_silent(own_site: Site) -> None:
    hub = own_site.seeded.hub
    with own_site.operator("da") as client:
        assert "Tavs modtager" not in client.get("/console/parties").text
    with hub.store.reading() as work:
        waits = len(work.standing.waited_for())
    assert watch_silence(replace(hub, limits=replace(hub.limits, silent_hours=0))) == 0
    now = hub.clock()
    late = replace(hub, clock=lambda: now.replace(year=now.year + 1))
    assert watch_silence(late) == waits > 0
    for language, word in (("da", "Tavs modtager"), ("en", "Silent receiver")):
        with own_site.operator(language) as client:
            assert client.get("/console/parties").text.count(word) == waits


def test_the_page_of_parties_says_who_is_under_another_agreement(own_site: Site) -> None:
    hub = own_site.seeded.hub
    with own_site.operator("en") as client:
        page = client.get("/console/parties").text
    assert page.count("Agreement") == 1
    assert "waits for the citizen&#39;s approval: GP, other receiver" in page
    with hub.store.writing() as work:
        own = {RUS: Agreement("all", minors=True, name="unge")}
        assert set_agreements(work, Agreements(own=own), {RUS})
        work.commit()
    with own_site.operator("da") as client:
        page = client.get("/console/parties").text
    assert page.count("Samarbejdsaftale") == 2
    assert "<code>unge</code>" in page
    assert "også planer for borgere under 18 år" in page


def test_the_command_tells_strays_and_says_so_by_its_exit(own_site: Site) -> None:
    hub = own_site.seeded.hub
    file = hub.store.database.engine.url.database
    environment = {"KI_HUB_DATABASE_URL": f"sqlite:///{file}", "KI_HUB_BUS_URL": ""}
    runner = CliRunner(env=environment)
    well = runner.invoke(cli, ["reconcile", "--json"])
    assert (well.exit_code, [r for r in json.loads(well.stdout) if not r["mended"]]) == (0, [])
    with hub.store.database.writing() as connection:
        sent = (DELIVERY.c.receiver == RUS, DELIVERY.c.state == "sent")
        lost = update(DELIVERY).where(*sent).values(state="retry_at", retry_at=None)
        assert connection.execute(lost).rowcount
        connection.commit()
    found = runner.invoke(cli, ["reconcile", "--json"])
    rows = json.loads(found.stdout)
    assert found.exit_code == 1
    assert {(r["receiver"], r["kind"], r["mended"]) for r in rows} == {(RUS, "nobody", False)}
    assert rows[0]["text"].endswith("is to be sent again, and no time is set")
    with own_site.operator("da") as client:
        assert "der er ikke sat noget tidspunkt" in client.get("/console/tasks").text
