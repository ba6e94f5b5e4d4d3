"""The client of HL7's validator: bounded, patient to a point, and silent about what it reads.

The server here is a small real one that gives recorded answers of the real validator, for that
needs Java and half a minute. `make test-full` asks the real one and compares the recordings.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.errors import Issue, Temporary, ValidatorUnavailable
from hub.fhir.outcome import ISSUE_TYPES
from hub.fhir.validation.rule_texts import RULES
from hub.validators.both import Both
from hub.validators.hl7 import Hl7Validator, Sidecar
from hub.validators.saying import issues
from tests.contract.hl7_cases import CASES, GOAL, NOBODY, PLAN, RECORDED, SECRET, Stand, standing
from tests.servers.process import free_port


@pytest.fixture
def stand() -> Iterator[Stand]:
    with standing() as server:
        yield server


@pytest.fixture
def connect(stand: Stand) -> Iterator[Callable[..., Hl7Validator]]:
    made: list[Hl7Validator] = []

    def to(**settings: object) -> Hl7Validator:
        made.append(Hl7Validator(stand.sidecar(**settings)))
        return made[-1]

    yield to
    for validator in made:
        validator.close()


Connect = Callable[..., Hl7Validator]


def errors(found: list[Issue]) -> list[Issue]:
    return [i for i in found if i.severity in {"fatal", "error"}]


def test_valid_is_without_issues(connect: Connect) -> None:
    assert connect().check([PLAN]) == []
    assert connect().check([]) == []


def test_a_defect_is_an_error_at_its_place(connect: Connect) -> None:
    found = connect().check(CASES["quoting"].resources)
    places = {i.expression for i in errors(found)}
    assert {"CarePlan.status", "CarePlan.title", "CarePlan.description"} <= places
    assert {i.code for i in found} <= ISSUE_TYPES
    assert all(i.text and i.text_da and i.expression for i in found)


@pytest.mark.parametrize("name", CASES)
def test_nothing_of_a_document_comes_through(connect: Connect, name: str) -> None:
    case = CASES[name]
    said = str(connect().check(case.resources, profile=case.profile))
    assert not [word for word in (*SECRET.split(), "karla", "nobody.example") if word in said]


def test_the_recorded_answers_do_quote_the_documents() -> None:
    """Otherwise the test above would prove nothing."""
    text = RECORDED.read_text("utf-8")
    assert text.count(SECRET) > 5
    answers = [json.dumps(r["answer"]) for r in json.loads(text)]
    assert [a for a in answers if "0201609996" in a and "'Karla'" in a]


@pytest.mark.parametrize("kind", [SECRET, "Resource", "HumanName", "", None, 3, []])
def test_what_is_no_resource_type_is_not_even_asked(
    connect: Connect, stand: Stand, kind: object
) -> None:
    found = connect().check([{"resourceType": kind}, PLAN])
    assert [(i.severity, i.expression) for i in found] == [("error", "Resource")]
    assert stand.asked == []


def test_a_rule_is_named_by_its_key(connect: Connect) -> None:
    (found,) = [i for i in errors(connect().check(CASES["rule"].resources)) if "(cpl-3)" in i.text]
    # In the words of the hub's own validator.
    english, danish = RULES["cpl-3"]
    assert found.text == f"HL7's validator: {english} (cpl-3)"
    assert found.text_da == f"HL7's validator: {danish} (cpl-3)"


def test_a_declared_profile_may_be_unknown_a_given_one_may_not(connect: Connect) -> None:
    declared = connect().check(CASES["unknown profile"].resources)
    assert [i.severity for i in declared] == ["information"]
    assert errors(connect().check([PLAN], profile=NOBODY)) != []


def test_the_profile_asked_for_is_asked_of_the_server(connect: Connect, stand: Stand) -> None:
    profile = CASES["given profile"].profile
    assert errors(connect().check([PLAN], profile=profile)) != []
    assert stand.asked[0]["query"]["profile"] == [profile]


def test_several_go_in_one_bundle_and_the_second_is_told_apart(
    connect: Connect, stand: Stand
) -> None:
    found = errors(connect().check(CASES["two goals"].resources))
    assert {str(i.expression).split(".")[0] for i in found} == {"Goal[1]"}
    assert [asked["body"]["type"] for asked in stand.asked] == ["collection"]


def test_an_answer_that_quotes_a_forbidden_character_is_a_judgement(connect: Connect) -> None:
    case = CASES["a character that FHIR forbids"]
    assert "CarePlan.status" in {i.expression for i in errors(connect().check(case.resources))}


def test_a_document_that_the_validator_fails_on_is_not_valid(connect: Connect) -> None:
    """It answers 500 with an outcome; asked again it would again, so it is no waiting matter."""
    recorded = [r for r in json.loads(RECORDED.read_text("utf-8")) if r["status"] == 500]
    assert recorded != []
    assert [i.code for i in connect().check([PLAN], profile=NOBODY)] == ["exception"]


@pytest.mark.parametrize("status", [200, 302, 404, 502, 503])
def test_another_answer_is_no_judgement(connect: Connect, stand: Stand, status: int) -> None:
    stand.status = status
    with pytest.raises(ValidatorUnavailable) as told:
        connect().check([PLAN])
    assert "0201609996" not in str(told.value)


def test_nobody_at_the_address() -> None:
    validator = Hl7Validator(Sidecar(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(Temporary, match="cannot be reached"):
        validator.check([PLAN])
    with pytest.raises(Temporary, match="cannot be reached"):
        validator.ready()
    validator.close()


def test_an_answer_that_does_not_come_is_not_waited_for(connect: Connect, stand: Stand) -> None:
    stand.held.clear()
    with pytest.raises(ValidatorUnavailable, match="in time"):
        connect(seconds=0.2).check([PLAN])


def test_more_than_the_limit_is_turned_away_at_once_and_the_rest_is_judged(
    connect: Connect, stand: Stand
) -> None:
    """A slow validator sheds load: what it cannot take on does not pile up here."""
    validator = connect(limit=3, at_once=1, seconds=20)
    stand.held.clear()
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(validator.check, [PLAN]) for _ in range(3)]
        until(lambda: validator.waiting() == 3)
        with pytest.raises(ValidatorUnavailable, match="3 documents waiting"):
            validator.check([PLAN])
        until(lambda: len(stand.asked) > 0)
        assert len(stand.asked) == 1
        stand.held.set()
        assert [w.result(20) for w in waiting] == [[], [], []]
    assert validator.check([PLAN]) == []


def test_a_failed_document_gives_its_place_back(connect: Connect, stand: Stand) -> None:
    validator = connect(limit=1)
    stand.status = 503
    for _ in range(3):
        with pytest.raises(ValidatorUnavailable, match="503"):
            validator.check([PLAN])
    stand.status = None
    assert validator.check([PLAN]) == []


def test_ready_asks_unless_it_has_just_heard(connect: Connect, stand: Stand) -> None:
    fresh = connect()
    fresh.ready()
    stand.status = 503
    fresh.ready()
    with pytest.raises(ValidatorUnavailable, match="503"):
        connect().ready()


def test_threads_do_not_disturb_each_other(connect: Connect) -> None:
    validator = connect(limit=20)
    cases = [CASES["valid"], CASES["two goals"], CASES["quoting"], CASES["rule"]] * 4
    alone = [validator.check(c.resources) for c in cases]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda c: validator.check(c.resources), cases)) == alone


def test_two_validators_are_asked_in_turn(connect: Connect, stand: Stand) -> None:
    class First:
        def check(self, resources: object, *, profile: str | None = None) -> list[Issue]:
            wrong = GOAL in resources  # type: ignore[operator]
            return [Issue("error" if wrong else "warning", "value", "first")]

    both = Both(First(), connect())
    assert [i.text for i in both.check([GOAL])] == ["first"]
    assert stand.asked == []
    found = both.check(CASES["rule"].resources)
    assert found[0].text == "first"
    assert errors(found) != []


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("CarePlan.activity[3].detail.scheduled.ofType(Period).start", None),
        ("CarePlan.Karla.status", "CarePlan"),
        ("CarePlan.extension('http://x/0201609996').value", "CarePlan"),
        ("CarePlan.contained[0]/*Patient/Karla*/.name[0]", "CarePlan.contained[0].name[0]"),
        ("0201609996", "CarePlan"),
        ("", "CarePlan"),
    ],
)
def test_of_a_place_only_the_names_that_r4_has_are_kept(said: str, place: str | None) -> None:
    issue = {"severity": "error", "code": "value", "expression": [said]}
    found = list(issues({"issue": [issue]}, {"": "CarePlan"}))
    assert [i.expression for i in found] == [place or said]


@pytest.mark.parametrize(
    "odd", [{}, {"severity": "x"}, {"code": 3, "severity": []}, {"extension": [{"url": 1}]}]
)
def test_an_issue_that_is_odd_is_an_error_all_the_same(odd: dict[str, object]) -> None:
    [found] = issues({"issue": [odd]}, {"": "CarePlan"})
    assert (found.severity, found.code) == ("error", "processing")


def until(so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not so():
        assert time.monotonic() < end
        threading.Event().wait(0.01)
