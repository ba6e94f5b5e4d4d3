"""OperationOutcome: always legal R4, the right status, the right mover."""

from __future__ import annotations

import pytest

from hub import errors
from hub.errors import HubError, Issue
from hub.fhir.outcome import (
    MOVE,
    error_outcome,
    in_language,
    outcome,
    status_of,
    translation,
)
from tests.views import errors_in


def _all(error: type[HubError]) -> list[type[HubError]]:
    return [error, *(e for s in error.__subclasses__() for e in _all(s))]


@pytest.mark.parametrize("error", _all(HubError))
def test_every_error_is_a_legal_outcome(error: type[HubError]) -> None:
    made = error_outcome(error(at="CarePlan.goal[1]"))
    assert errors_in(made) == []
    assert made["extension"] == [{"url": MOVE, "valueCode": error.move}]
    assert made["issue"][0]["code"] == error.code
    assert made["issue"][0]["expression"] == ["CarePlan.goal[1]"]
    assert 400 <= status_of(error) <= 599


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Malformed, 400),
        (errors.TooLarge, 413),
        (errors.UnknownCode, 422),
        (errors.Invalid, 422),
        (errors.Unsupported, 415),
        (errors.WrongSender, 403),
        (errors.MessageReused, 409),
        (errors.StaleBase, 409),
        (errors.Unauthenticated, 401),
        (errors.NoLegalBasis, 403),
        (errors.NotFound, 404),
        (errors.CannotRender, 422),
        (errors.BusUnavailable, 503),
        (errors.StoreUnavailable, 503),
        (errors.Misconfigured, 500),
        (errors.HubError, 500),
    ],
)
def test_status(error: type[HubError], status: int) -> None:
    assert status_of(error) == status
    assert status_of(error("x")) == status


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("CarePlan.activity[2].detail.status", "expression"),
        ("Bundle.entry[3].resource.ofType(CarePlan).goal", "expression"),
        ("Goal[1].lifecycleStatus", "expression"),
        ("Behandlingsplan/Maal[2]/Tekst", "location"),
        ("line 7", "location"),
    ],
)
def test_places_of_other_formats_are_locations(where: str, kind: str) -> None:
    made = outcome([Issue("error", "value", "x", where)])
    assert made["issue"][0][kind] == [where]


def test_no_findings_is_still_an_outcome() -> None:
    made = outcome([])
    assert errors_in(made) == []
    assert made["issue"][0]["severity"] == "information"


def test_an_unknown_code_never_makes_an_illegal_outcome() -> None:
    made = outcome([Issue("error", "no-such-type", "x")])
    assert made["issue"][0]["code"] == "processing"


def test_it_is_kept_in_both_languages_and_told_in_one() -> None:
    made = outcome([Issue("error", "value", "Write true or false", "Goal.x")])
    assert errors_in(made) == []
    assert translation(made["issue"][0]["details"]) == "Skriv true eller false"
    for language, text in (("en", "Write true or false"), ("da", "Skriv true eller false")):
        told = in_language(made, language)
        assert errors_in(told) == []
        assert told["language"] == language
        assert told["issue"][0]["details"] == {"text": text}
    assert in_language({"resourceType": "Goal"}, "da") == {"resourceType": "Goal"}


def test_what_has_no_danish_stays_english_and_says_no_language() -> None:
    made = outcome([Issue("error", "value", "Nobody has translated this", None)])
    told = in_language(made, "da")
    assert "language" not in told
    assert told["issue"][0]["details"] == {"text": "Nobody has translated this"}
    assert in_language(made, "en")["language"] == "en"


def test_an_issues_own_danish_comes_first() -> None:
    made = outcome([Issue("error", "value", "Write true or false", None, "Sandt eller falsk")])
    assert in_language(made, "da")["issue"][0]["details"]["text"] == "Sandt eller falsk"
