"""What a document says of others' parts: never applied; in other words, shown to the owner."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.model.party import SYSTEM
from hub.services import others, process
from hub.services.others import _GONE, _NO_PLACE, _NOT_OURS
from tests.api.copies import head, says_of, shared_part, whole_plan
from tests.api.echoes import ECHOES, Document, Echo, others_of
from tests.api.papers import consent_of
from tests.api.world import PSYK, RUS, SOCIAL, World, outcome_of, problem

GOAL = "Karla finder ud af, hvad hun selv vil med sin hash"
"""The shared part's first goal."""
OURS = {
    PSYK: "Samtale hver anden torsdag med fokus på stress, søvn og lysten til forandring.",
    SOCIAL: "Karla klarer husleje, post og oprydning med støtte højst én gang om ugen.",
}
"""What stands in each unit's own plan."""

every_format = pytest.mark.parametrize("echo", ECHOES, ids=lambda e: e.format)


def waiting(world: World, who: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.get("/proposals", who).json()
    return found


def waiting_for(world: World, who: str) -> list[dict[str, Any]]:
    """What this unit decides."""
    return [row for row in waiting(world, who) if row["decides"] == who]


def everything_waiting(world: World) -> list[str]:
    with world.hub.store.reading() as work:
        return [p.id for p in work.proposals.listing(SYSTEM, world.clock(), state="open")]


def texts(world: World, who: str) -> list[str]:
    (row,) = waiting(world, who)
    shown = world.get(f"/proposals/{row['proposal']}", who).json()
    return [shown[k][0] for k in ("base", "theirs", "stands")]


def told(answer: httpx.Response) -> str:
    return " ".join(i["details"]["text"] for i in outcome_of(answer)["issue"])


def losses(world: World) -> list[str]:
    """Of what documents said of others' plans, where."""
    reasons = {_NO_PLACE, _GONE, _NOT_OURS}
    with world.hub.store.reading() as work:
        return [loss.path for loss in work.losses.of() if loss.reason in reasons]


def goals(world: World, plan: str) -> list[str]:
    """The shared part's, in order."""
    found = shared_part(world, plan)
    links = found[f"CarePlan/{plan}"]["goal"]
    return [found[link["reference"]]["description"]["text"] for link in links]


def decide(world: World, proposal: str, act: str, who: str, **said: Any) -> httpx.Response:
    body = {"person": "Signe Prøve", "reason": "Drøftet i teamet"} | said
    return world.request("POST", f"/proposals/{proposal}/{act}", who, json=body)


@every_format
def test_what_comes_back_as_it_was_sent_says_nothing(planned: World, plan: str, echo: Echo) -> None:
    body = echo.given(planned)
    before, number = whole_plan(planned, plan), head(planned, plan)
    answer = echo.sent(planned, body)
    assert answer.status_code == 200, answer.text
    assert "others" not in told(answer)
    assert (losses(planned), everything_waiting(planned)) == ([], [])
    assert (whole_plan(planned, plan), head(planned, plan)) == (before, number)


@every_format
def test_a_word_of_the_shared_part_is_a_proposal_to_the_lead(
    planned: World, plan: str, echo: Echo
) -> None:
    body = echo.saying(echo.given(planned), "Karla finder ud af", "Karla afgør")
    before, number = whole_plan(planned, plan), head(planned, plan)
    answer = echo.sent(planned, body)
    assert "Kept as proposals for the owners of others' parts to decide: 1" in told(answer)
    assert losses(planned) == []
    assert (whole_plan(planned, plan), head(planned, plan)) == (before, number)
    (row,) = waiting(planned, RUS)
    assert (row["author"], row["decides"], row["part"]) == (echo.who, RUS, plan)
    said = GOAL.replace("finder ud af", "afgør")
    assert texts(planned, RUS) == [GOAL, said, GOAL]
    assert [r["proposal"] for r in waiting(planned, echo.who)] == [row["proposal"]]
    assert waiting(planned, echo.other) == []
    assert decide(planned, row["proposal"], "accept", RUS).status_code == 200
    assert goals(planned, plan)[0] == said
    assert (len(goals(planned, plan)), head(planned, plan)) == (3, number + 1)


@every_format
def test_a_word_of_a_sector_plan_is_a_proposal_to_its_owner(
    planned: World, plan: str, echo: Echo
) -> None:
    text = OURS[echo.other]
    first = text.split()[0]
    body = echo.saying(echo.given(planned), text, text.replace(first, "Altid", 1))
    before, number = whole_plan(planned, plan), head(planned, plan)
    answer = echo.sent(planned, body)
    assert "to decide: 1" in told(answer)
    assert (whole_plan(planned, plan), head(planned, plan)) == (before, number)
    (row,) = waiting(planned, echo.other)
    assert (row["author"], row["decides"]) == (echo.who, echo.other)
    assert ("proposal", None) in planned.tasks(echo.other)
    assert ("proposal", None) not in planned.tasks(RUS)
    assert texts(planned, echo.other) == [text, text.replace(first, "Altid", 1), text]
    assert [r["proposal"] for r in waiting(planned, echo.who)] == [row["proposal"]]
    assert waiting(planned, RUS) == []
    assert planned.get(f"/proposals/{row['proposal']}", RUS).status_code == 404
    problem(decide(planned, row["proposal"], "accept", echo.who), 403)


@every_format
def test_what_is_left_out_is_not_deleted(planned: World, plan: str, echo: Echo) -> None:
    def emptied(document: Document) -> None:
        if echo.format == "vum":
            for resource in others_of(document):
                resource.pop("description", None)
                for activity in resource.get("activity", ())[1:]:
                    resource["activity"].remove(activity)
            return
        for name in ("Goal", "Challenge", "Intervention", "Effort", "StatusNote", "OtherPlan"):
            for element in document.findall(f"{{*}}OtherPlans//{{*}}{name}")[::2]:
                element.getparent().remove(element)

    body = echo.changed(echo.given(planned), emptied)
    before, number = whole_plan(planned, plan), head(planned, plan)
    answer = echo.sent(planned, body)
    assert answer.status_code == 200, answer.text
    assert (losses(planned), everything_waiting(planned)) == ([], [])
    assert (whole_plan(planned, plan), head(planned, plan)) == (before, number)


def adding(echo: Echo, document: Document, *texts: str) -> None:
    """New goals of the shared part, behind the first."""
    if echo.format == "vum":
        plan = next(r for r in others_of(document) if "Tovholder:" in r.get("description", ""))
        lines = "".join(f"{n}. {text}\n" for n, text in enumerate(texts, 9))
        plan["description"] = plan["description"].replace("\n2. Faste", f"\n{lines}2. Faste", 1)
        return
    goal = document.find("{*}OtherPlans/{*}SharedPlan/{*}Goal")
    for text in texts:
        new = goal.makeelement(goal.tag)
        for name, said in (("PositionNumber", "2"), ("GoalText", text)):
            child = new.makeelement(goal.tag.replace("}Goal", f"}}{name}"))
            child.text = said
            new.append(child)
        goal.addnext(new)


@every_format
def test_a_new_item_is_a_proposal_to_the_lead(planned: World, plan: str, echo: Echo) -> None:
    body = echo.changed(echo.given(planned), lambda d: adding(echo, d, "Noget helt andet"))
    number = head(planned, plan)
    for _ in range(2):
        answer = echo.sent(planned, body)
        assert answer.status_code == 200, answer.text
        assert "to decide: 1" in told(answer)
    (row,) = waiting(planned, RUS)
    assert row["about"].startswith("goal/")
    shown = planned.get(f"/proposals/{row['proposal']}", RUS).json()
    assert (shown["base"], shown["theirs"][0], shown["stands"]) == ([], "Noget helt andet", [])
    assert head(planned, plan) == number
    answer = decide(planned, row["proposal"], "accept", RUS)
    assert answer.status_code == 200, answer.text
    assert goals(planned, plan)[-1] == "Noget helt andet"
    assert (len(goals(planned, plan)), head(planned, plan)) == (4, number + 1)


@pytest.mark.parametrize("item", ["Challenge", "Intervention"])
def test_so_is_a_new_challenge_or_intervention(planned: World, plan: str, item: str) -> None:
    echo = ECHOES[0]

    def added(document: Document) -> None:
        known = document.find(f"{{*}}OtherPlans/{{*}}SharedPlan/{{*}}{item}")
        new = known.makeelement(known.tag)
        name = {"Challenge": "ChallengeText", "Intervention": "EffortText"}[item]
        child = new.makeelement(known.tag.replace(f"}}{item}", f"}}{name}"))
        child.text = "Noget helt andet"
        new.append(child)
        known.addnext(new)

    echo.sent(planned, echo.changed(echo.given(planned), added))
    (row,) = waiting(planned, RUS)
    assert row["about"].startswith(f"{item.lower()}/")
    answer = decide(planned, row["proposal"], "accept", RUS)
    assert answer.status_code == 200, answer.text
    assert "Noget helt andet" in says_of(planned.hub, plan)


def test_an_effort_under_the_hub_s_own_entry_is_another_s(planned: World, plan: str) -> None:
    """It is proposed, and the next order goes out without what was added to the last."""
    echo = ECHOES[1]

    def added(bundle: Document) -> None:
        urls = {id(e["resource"]): e for e in bundle["entry"]}
        (_, effort, *_) = others_of(bundle)
        new = json.loads(json.dumps(urls[id(effort)]))
        new["fullUrl"] = "urn:uuid:6e8bb9c3-5d0f-4c39-9a3f-3a6d7b1f4c11"
        del new["resource"]["identifier"]
        new["resource"]["activity"][0]["detail"]["code"]["text"] = "Noget helt andet"
        bundle["entry"].append(new)

    answer = echo.sent(planned, echo.changed(echo.given(planned), added))
    assert answer.status_code == 200, answer.text
    (row,) = waiting(planned, RUS)
    assert row["about"].startswith("intervention/")
    (letter,) = planned.letters(SOCIAL)
    planned.receipt(letter, SOCIAL)
    assert decide(planned, row["proposal"], "accept", RUS).status_code == 200
    planned.work()
    assert echo.last(planned).decode().count("Noget helt andet") == 1


@every_format
def test_too_many_new_items_are_told_as_lost(planned: World, echo: Echo) -> None:
    texts = [f"{number} ganske andet" for number in range(11)]
    body = echo.changed(echo.given(planned), lambda d: adding(echo, d, *texts))
    answer = echo.sent(planned, body)
    assert answer.status_code == 200, answer.text
    assert "cannot be proposed so; take it up with them" in told(answer)
    assert len(losses(planned)) >= 11
    assert everything_waiting(planned) == []


@every_format
def test_what_is_no_text_of_an_item_is_told_as_lost(planned: World, echo: Echo) -> None:
    """When and where to meet is no single text."""
    body = echo.saying(echo.given(planned), "mødelokale 2", "mødelokale 3")
    answer = echo.sent(planned, body)
    assert "cannot be proposed so; take it up with them: 1" in told(answer)
    assert (len(losses(planned)), everything_waiting(planned)) == (1, [])


@pytest.mark.parametrize("act", ["accept", "reject", "reword"])
def test_the_owner_of_a_sector_plan_answers_and_changes_its_own_document(
    planned: World, plan: str, act: str
) -> None:
    echo, own = ECHOES[0], ECHOES[1]
    text = OURS[SOCIAL]
    echo.sent(planned, echo.saying(echo.given(planned), text, f"{text} Altid."))
    (row,) = waiting(planned, SOCIAL)
    before = whole_plan(planned, plan)
    said = {"text": "Karla klarer det selv."} if act == "reword" else {}
    answer = decide(planned, row["proposal"], act, SOCIAL, **said)
    assert answer.status_code == 200, answer.text
    assert whole_plan(planned, plan) == before
    (row,) = planned.get("/proposals?decided=true", PSYK).json()
    state = {"accept": "accepted", "reject": "rejected", "reword": "replaced"}[act]
    reason = "Drøftet i teamet" + (": Karla klarer det selv." if act == "reword" else "")
    assert (row["state"], row["reason"]) == (state, reason)
    tasks = [kind for kind, _ in planned.tasks(SOCIAL)]
    assert "proposal" not in tasks
    assert ("own-change" in tasks) == (act != "reject")
    own.sent(planned, own.last(planned).replace(text.encode(), f"{text} Altid.".encode()))
    assert "own-change" not in [kind for kind, _ in planned.tasks(SOCIAL)]


def test_what_the_owner_has_changed_since_is_no_wish(planned: World) -> None:
    """It comes back as it was sent, and something else stands by now."""
    echo, own = ECHOES[1], ECHOES[0]
    old = echo.given(planned)
    text = OURS[PSYK]
    own.sent(planned, own.given(planned).replace(text.encode(), "Samtale på telefon.".encode()))
    (letter,) = planned.letters(SOCIAL)
    planned.receipt(letter, SOCIAL)
    planned.work()
    assert "Samtale på telefon." in echo.last(planned).decode()
    echo.sent(planned, old)
    assert (losses(planned), everything_waiting(planned)) == ([], [])


def test_what_the_owner_says_by_now_is_no_wish(planned: World) -> None:
    echo, own = ECHOES[1], ECHOES[0]
    text, new = OURS[PSYK], "Samtale på telefon hver anden torsdag."
    body = echo.saying(echo.given(planned), text, new)
    own.sent(planned, own.given(planned).replace(text.encode(), new.encode()))
    echo.sent(planned, body)
    assert (losses(planned), everything_waiting(planned)) == ([], [])


def test_the_purposes_of_two_plans_are_two_wishes(planned: World) -> None:
    echo = ECHOES[2]
    body = echo.saying(echo.given(planned), "en roligere hverdag", "en rolig hverdag")
    body = echo.saying(body, "en fast base at bo i", "et fast sted at bo")
    assert "to decide: 2" in told(echo.sent(planned, body))
    (one,), (other,) = waiting(planned, PSYK), waiting_for(planned, SOCIAL)
    assert one["about"] == other["about"] == "plan/description"
    assert one["part"] != other["part"]


def test_a_consent_that_changes_meanwhile_is_looked_at_again(
    planned: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found before it was narrowed is not kept after."""
    echo = ECHOES[0]
    body = echo.saying(echo.given(planned), "Karla finder ud af", "Karla afgør")
    (letter,) = planned.letters(PSYK)
    planned.receipt(letter, PSYK)
    hidden = {PSYK: ("substance-use",)}
    narrowed = consent_of("mindre", units=(PSYK,), kind="deny", sections=hidden)
    found: list[others.Said] = []

    def meanwhile(*asked: Any) -> others.Said:
        said = others.find_said(*asked)
        if said.plan_id:
            found.append(said)
            if len(found) == 1:
                assert planned.consent(narrowed).status_code == 201
        return said

    monkeypatch.setattr(process, "find_said", meanwhile)
    assert echo.sent(planned, body).status_code == 200
    assert [len(said.wishes) for said in found] == [1, 0]
    assert (len(losses(planned)), everything_waiting(planned)) == (1, [])


def test_the_same_said_again_is_asked_once(planned: World) -> None:
    echo = ECHOES[1]
    body = echo.saying(echo.given(planned), "Karla finder ud af", "Karla afgør")
    for number in range(2):
        echo.sent(planned, body.replace(b'"timestamp": "', b'"timestamp": "', number))
    assert len(waiting(planned, RUS)) == 1


def test_what_the_hub_never_sent_is_no_base(planned: World) -> None:
    """A first document with others' plans in it, of which the hub knows nothing."""
    echo = ECHOES[3]
    body = echo.given(planned)
    fresh = echo.changed(body, lambda d: _case(d, "UDS-2026-000999"))
    answer = echo.sent(planned, fresh)
    assert answer.status_code == 200, answer.text
    assert (len(losses(planned)), everything_waiting(planned)) == (1, [])


def _case(document: Document, case: str) -> None:
    document.find("{*}MessageHeader/{*}CaseIdentifier").text = case


def test_what_its_sender_may_no_longer_see_is_not_proposed(planned: World) -> None:
    """Of two goals that it was given, one is hidden from it by now."""
    echo = ECHOES[0]
    body = echo.given(planned)
    (letter,) = planned.letters(PSYK)
    planned.receipt(letter, PSYK)
    hidden = {PSYK: ("substance-use",)}
    narrowed = consent_of("mindre", units=(PSYK,), kind="deny", sections=hidden)
    assert planned.consent(narrowed).status_code == 201
    body = echo.saying(body, "Karla finder ud af", "Karla afgør")
    body = echo.saying(body, "Faste holdepunkter i ugen", "Faste holdepunkter hver dag")
    answer = echo.sent(planned, body)
    assert answer.status_code == 200, answer.text
    assert len(losses(planned)) == 1
    (row,) = waiting(planned, RUS)
    shown = planned.get(f"/proposals/{row['proposal']}", PSYK).json()
    assert shown["base"] == ["Faste holdepunkter i ugen"]


def test_who_was_given_nothing_any_more_proposes_nothing(planned: World) -> None:
    """What was withdrawn before its receiver said that it has it, is not known to be had."""
    echo = ECHOES[0]
    body = echo.saying(echo.given(planned), "Faste holdepunkter i ugen", "Faste holdepunkter")
    hidden = {PSYK: ("substance-use",)}
    assert planned.consent(
        consent_of("mindre", units=(PSYK,), kind="deny", sections=hidden)
    ).status_code == 201  # fmt: skip
    answer = echo.sent(planned, body)
    assert "take it up with them: 1" in told(answer)
    assert (len(losses(planned)), everything_waiting(planned)) == (1, [])


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_document_changes_what_is_not_its_sender_s(
    planned: World, plan: str, data: st.DataObject
) -> None:
    """Whatever a municipality or a region says of others' plans."""
    echo = data.draw(st.sampled_from(ECHOES[:2]))

    def of_the_rest() -> tuple[Any, ...]:
        with planned.hub.store.reading() as work:
            parts = [p for p in work.plans.parts(plan) if p.owner != echo.who]
            found = work.plans.get(plan, SYSTEM, planned.clock())
            assert found is not None
            stored = {p.id: work.plans.resources(p.members) for p in parts}
            consents = work.consents.of_citizen(found.citizen_id)
            return stored, consents, work.consents.approvals(plan), found.lead, found.status

    def scrambled(document: Document) -> None:
        named = ("Text", "Name")
        places = [(h, n) for h, n in echo.texts(document) if n or h.tag.endswith(named)]
        for _ in range(data.draw(st.integers(1, 6))):
            holder, name = data.draw(st.sampled_from(places))
            text = data.draw(st.sampled_from(["", "Andet", "true", "9", "Mål:\n1. Andet", GOAL]))
            if name:
                holder[name] = text or "x"
            else:
                holder.text = text

    if not of_the_rest()[2]:
        assert planned.approve(plan).status_code == 201
    before = of_the_rest()
    answer = echo.sent(planned, echo.changed(echo.last(planned), scrambled))
    assert answer.status_code == 200, answer.text
    assert json.dumps(of_the_rest()[0], default=str) == json.dumps(before[0], default=str)
    assert of_the_rest()[1:] == before[1:]
