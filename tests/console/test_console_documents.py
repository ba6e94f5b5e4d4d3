"""A koordinationsplan's delivery as an operator and its owner's people see it: no content."""

from __future__ import annotations

from dataclasses import replace

import pytest

import adapters.fhir
from hub.contract import Context, Loss, Party, PlanView, Rendered
from hub.model.party import SYSTEM, Subscription
from tests.api.test_koordinationsplan import MARKED
from tests.console.conftest import Site
from tests.console.seed import PSYK, SOCIAL

WISH = Subscription("fhir", "koordinationsplan", unacceptable=("dropped",))
WORDS = ("Bostøtte hver", "Depotmedicin")


def test_it_is_shown_by_its_kind_and_let_go_by_its_owner(
    own_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = adapters.fhir.render

    def lossy(content: PlanView, receiver: Party, context: Context) -> Rendered:
        """The canonical form loses nothing of it; another format that carries it may."""
        lost = Loss("CarePlan/x/note", "dropped", "no place for it")
        return replace(plain(content, receiver, context), losses=(lost,))

    monkeypatch.setattr(adapters.fhir, "render", lossy)
    hub = own_site.seeded.hub
    with hub.store.writing() as work:
        known = work.parties.get(SOCIAL)
        assert known is not None
        wanted = (*known.subscriptions, WISH)
        work.parties.save(replace(known, subscriptions=wanted), hub.clock())
        work.commit()
    own_site.seeded.send(PSYK, "udskrivningsaftale", MARKED, "application/xml")
    own_site.seeded.deliver()
    with hub.store.reading() as work:
        (row,) = [d for d in work.deliveries.listing(SYSTEM, receiver=SOCIAL) if d.document]
    assert row.state.value == "held"
    with own_site.operator() as client:
        listed = client.get(f"/console/deliveries?receiver={SOCIAL}").text
        shown = client.get(f"/console/deliveries/{row.id}").text
    assert "koordinationsplan" in listed
    assert "Psykiatriloven § 13 c" in shown
    assert not [w for w in WORDS if w in listed + shown]
    with own_site.person(PSYK) as client:
        asked = client.get(f"/decisions/deliveries/{row.id}")
        assert asked.status_code == 200
        assert row.document[:8] in asked.text
    with own_site.person(SOCIAL) as client:
        assert client.get(f"/decisions/deliveries/{row.id}").status_code == 404
