"""What was asked for and refused is in the audit trail before it is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.errors import StoreUnavailable
from hub.services import denied
from tests.api.fhir.client import audited, get, post_search
from tests.api.world import CPR_1, GP, PSYK, RUS, SOCIAL, World

NOBODYS = "00000000-0000-4000-8000-000000000000"
NOBODYS_CPR = "0101809995"


def refused(world: World) -> list[dict[str, Any]]:
    with world.hub.store.reading() as work:
        return [dict(r) for r in work.journal.audit_of("") if r["outcome"] == "denied"]


def told(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[k] for k in ("actor", "party", "action", "object", "plan_id", "reason"))


def test_a_read_without_a_basis_is_kept_with_the_citizen(planned: World, plan: str) -> None:
    before = len(refused(planned))
    assert get(planned, f"CarePlan/{plan}", GP).status_code == 404
    (row,) = refused(planned)[before:]
    place = f"GET /fhir/CarePlan/{plan}"
    why = "It is here, but not for this unit now"
    assert told(row) == (GP, GP, "read", place, plan, why)
    assert row["citizen"] is not None
    assert row["unit_name"] == "Lægerne i Havnegade"


def test_a_guess_at_nothing_is_kept_as_that(planned: World) -> None:
    before = len(refused(planned))
    assert get(planned, f"CarePlan/{NOBODYS}", SOCIAL).status_code == 404
    assert planned.request("GET", f"/plans/{NOBODYS}/letters", SOCIAL).status_code == 404
    reasons = [r["reason"] for r in refused(planned)[before:]]
    assert reasons == ["There is nothing here by that id"] * 2


def test_what_may_be_a_number_or_a_name_is_not_written_down(planned: World) -> None:
    before = len(refused(planned))
    assert get(planned, f"Patient/{CPR_1}", SOCIAL).status_code in {400, 404}
    assert get(planned, "Patient/Karla-Nygaard", SOCIAL).status_code == 404
    for row in refused(planned)[before:]:
        assert "Karla" not in repr(row)
        assert CPR_1 not in repr(row)
        assert "{" in row["object"]


def test_a_guess_inside_a_batch_counts_too(planned: World, plan: str) -> None:
    before = len(refused(planned))
    entries = [{"request": {"method": "GET", "url": f"CarePlan/{plan}"}}]
    body = json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}).encode()
    assert planned.post("/fhir", GP, body).status_code == 200
    (row,) = refused(planned)[before:]
    assert (row["actor"], row["plan_id"]) == (GP, plan)


def test_another_unit_s_message_is_kept_with_its_plan(planned: World, plan: str) -> None:
    waiting = planned.request("GET", "/mailbox", PSYK).json()
    before = len(refused(planned))
    key = waiting[0]["delivery"]
    assert planned.request("GET", f"/mailbox/{key}", GP).status_code == 404
    (row,) = refused(planned)[before:]
    assert (row["actor"], row["plan_id"]) == (GP, plan)


def test_a_party_at_the_operator_s_door_is_known(planned: World, plan: str) -> None:
    before = len(refused(planned))
    assert planned.request("GET", f"/operations/plans/{plan}", RUS).status_code == 401
    (row,) = refused(planned)[before:]
    assert (row["actor"], row["plan_id"], row["reason"]) == (
        RUS,
        plan,
        "An operator's credential is needed",
    )


def test_an_unknown_credential_is_kept_and_none_at_all_is_not(planned: World) -> None:
    before = len(refused(planned))
    guess = {"Authorization": "Bearer guessed-by-nobody"}
    assert planned.request("GET", "/fhir/CarePlan", headers=guess).status_code == 401
    assert planned.request("GET", "/fhir/CarePlan").status_code == 401
    assert planned.request("GET", "/health/live").status_code in {200, 404}
    (row,) = refused(planned)[before:]
    assert (row["actor"], row["action"], row["reason"]) == (
        "unknown",
        "login",
        "The credential is not known",
    )
    assert "guessed" not in repr(row)


def test_guesses_cannot_fill_the_trail(planned: World) -> None:
    before = len(refused(planned))
    guess = {"Authorization": "Bearer guessed-by-nobody"}
    for _ in range(25):
        assert planned.request("GET", "/tasks", headers=guess).status_code == 401
    assert len(refused(planned)) - before == 20


def test_what_cannot_be_written_down_is_not_answered(
    planned: World, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(denied, "audit_denied", full)
    assert get(planned, f"CarePlan/{plan}", GP).status_code == 503


def test_a_write_to_another_s_part_is_kept_as_refused(planned: World, plan: str) -> None:
    with planned.hub.store.reading() as work:
        parts = [p for p in work.plans.parts(plan) if p.owner == SOCIAL]
    own = get(planned, f"CarePlan/{parts[0].id}", SOCIAL)
    tag = {"If-Match": own.headers["ETag"]}
    answer = planned.request(
        "PUT", f"/fhir/CarePlan/{parts[0].id}", RUS, content=own.content,
        headers=tag | {"Content-Type": "application/fhir+json"},
    )  # fmt: skip
    assert answer.status_code >= 400
    with planned.hub.store.reading() as work:
        rows = [r for r in work.journal.audit_of("inbox/") if r["actor"] == RUS]
    assert rows[-1]["outcome"] in {"refused", "denied"}


@pytest.mark.parametrize("parameters", [{}, {"_summary": "count"}, {"status": "active"}])
def test_a_search_about_a_citizen_of_whom_nothing_may_be_seen(
    planned: World, parameters: dict[str, str]
) -> None:
    """The answer is the one for a citizen who is not known; the citizen's record shows the try.
    Both leave a row, so that the time of the answer tells nothing either."""
    before = len(refused(planned))
    assert find(planned, GP, CPR_1, parameters)["total"] == 0
    assert find(planned, GP, NOBODYS_CPR, parameters)["total"] == 0
    there, nothing = refused(planned)[before:]
    assert told(there)[:4] == told(nothing)[:4] == (GP, GP, "search", "CarePlan")
    assert there["reason"] == "It is here, but not for this unit now"
    assert nothing["reason"] == "There is nothing here by that id"
    assert there["citizen"] is not None
    assert nothing["citizen"] is None


def test_a_search_by_reference_and_by_system_is_seen_too(planned: World, plan: str) -> None:
    (patient,) = {
        r["subject"]["reference"] for r in [get(planned, f"CarePlan/{plan}", PSYK).json()]
    }
    before = len(refused(planned))
    for parameters in (
        {"patient": patient}, {"patient.identifier": f"urn:oid:1.2.208.176.1.2|{CPR_1}"},
        {"_id": plan},
    ):  # fmt: skip
        answer = post_search(planned, "CarePlan", parameters, GP)
        assert answer.json()["total"] == 0
    assert [r["citizen"] is None for r in refused(planned)[before:]] == [False] * 3
    find(planned, PSYK, CPR_1, {})
    assert len(refused(planned)) == before + 3, "whoever sees something is not refused"


def test_a_number_of_matches_is_a_disclosure(planned: World, plan: str) -> None:
    before = len(audited(planned, "search"))
    assert find(planned, PSYK, CPR_1, {"_summary": "count"})["total"] > 0
    (shown,) = audited(planned, "search")[before:]
    assert shown[0] == PSYK
    assert shown[1].startswith(f"CarePlan/{plan}/")


def find(world: World, party: str, cpr: str, more: dict[str, str]) -> dict[str, Any]:
    response = post_search(world, "CarePlan", {"patient.identifier": cpr, **more}, party)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found
