"""Proposals in the console: the texts side by side, and a decision by a named person."""

from __future__ import annotations

import json

import httpx
import pytest

from hub.model.party import SYSTEM, Viewer
from hub.services import proposals
from tests.api.copies import changed, copy_for, goals, says_of
from tests.console.conftest import Site, token_in
from tests.console.seed import KARLA, PSYK, RUS, SOCIAL


def at(site: Site) -> str:
    """The proposal's address."""
    return f"/decisions/proposals/{site.seeded.proposal}"


def post(client: httpx.Client, path: str, **said: str) -> httpx.Response:
    page = client.get(path).text
    version = page.split('name="version" value="', 1)[1].split('"', 1)[0]
    return client.post(path, data={"token": token_in(page), "version": version, **said})


@pytest.mark.parametrize(
    ("language", "before", "now"),
    [("da", "Før", "I planen nu"), ("en", "Before", "In the plan now")],
)
def test_the_three_texts_stand_side_by_side(
    own_site: Site, language: str, before: str, now: str
) -> None:
    path = at(own_site)
    with own_site.person(RUS, language) as client:
        assert "/decisions/proposals" in client.get("/decisions").text
        assert path in client.get("/decisions/proposals").text
        page = client.get(path).text
    assert f"<h2>{before}</h2>" in page
    assert f"<h2>{now}</h2>" in page
    assert "Karla vælger selv, hvem der er &lt;med&gt;." in page
    assert page.count("Karla finder ud af, hvad hun selv vil med sin hash") == 2


def test_a_person_decides(own_site: Site) -> None:
    path = at(own_site)
    with own_site.person(RUS) as client:
        answer = post(client, path, choice="reword", text="Karla vælger med Mette.")
        assert answer.status_code == 422
        assert 'id="person-fault"' in answer.text
        assert 'id="reason-fault"' in answer.text
        assert "Karla vælger med Mette." in answer.text
        named = {"person": "Mette, kontaktperson", "reason": "Aftalt med Karla"}
        answer = post(client, path, choice="reword", text="Karla vælger med Mette.", **named)
        assert (answer.status_code, answer.headers["Location"]) == (303, path)
        page = client.get(path).text
        assert "Aftalt med Karla" in page
        assert 'name="choice"' not in page
        waiting, _, others = client.get("/decisions/proposals").text.partition("De øvrige")
        assert path not in waiting
        assert path in others
    found = says_of(own_site.seeded.hub, own_site.seeded.plans[KARLA])
    assert "Karla vælger med Mette." in found
    with own_site.person(PSYK) as client:
        page = client.get(path).text
        assert "Aftalt med Karla" in page
        assert 'name="choice"' not in page


def test_a_decision_on_what_has_changed_since_is_shown_again(own_site: Site) -> None:
    path = at(own_site)
    seeded = own_site.seeded
    with own_site.person(RUS) as client:
        page = client.get(path).text
        own = copy_for(seeded.hub, seeded.plans[KARLA], RUS)
        said = changed(own, lambda b: goals(b)[0].update(description={"text": "Et andet mål"}))
        seeded.send(RUS, "fhir", json.dumps(said).encode())
        version = page.split('name="version" value="', 1)[1].split('"', 1)[0]
        sent = {"token": token_in(page), "version": version, "choice": "accept",
                "person": "Mette", "reason": "Aftalt"}  # fmt: skip
        answer = client.post(path, data=sent)
        assert answer.status_code == 422
        assert "Et andet mål" in answer.text


def test_for_others_it_is_not_there(own_site: Site) -> None:
    path = at(own_site)
    with own_site.person(SOCIAL) as client:
        assert client.get(path).status_code == 404
        assert path not in client.get("/decisions/proposals").text
    with own_site.visitor() as client:
        assert client.get(path).status_code == 303


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("da", "ret dokumentet i jeres eget system"),
        ("en", "change the document in your own system"),
    ],
)
def test_who_owns_a_sector_plan_answers_for_its_own_document(
    own_site: Site, language: str, told: str
) -> None:
    seeded = own_site.seeded
    with seeded.hub.store.reading() as work:
        part = next(p for p in work.plans.parts(seeded.plans[KARLA]) if p.owner == SOCIAL)
        goal = next(r for r in work.plans.resources(part.members).values()
                    if r["resourceType"] == "Goal")  # fmt: skip
        found = work.deliveries.listing(SYSTEM, receiver=PSYK)
        mine = [work.deliveries.get(d.id, SYSTEM, body=True) for d in found]
    text = goal["description"]["text"]
    body = next(d.body for d in mine if d and d.body and text.encode() in d.body)
    sent = body.replace(text.encode(), f"{text} Altid.".encode())
    assert seeded.send(PSYK, "behandlingsplan", sent, "application/xml").state == "applied"
    (proposal,) = proposals.proposals(seeded.hub, Viewer("party", SOCIAL))
    path = f"/decisions/proposals/{proposal.id}"
    with own_site.person(SOCIAL, language) as client:
        page = client.get(path).text
        assert told in page
        assert page.count(text) == 3
        answer = post(client, path, choice="accept", person="Ali", reason="Aftalt")
        assert answer.status_code == 303
    with own_site.person(RUS) as client:
        assert client.get(path).status_code == 404
