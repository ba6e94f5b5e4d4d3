"""The retry policy in the parties file: what is accepted, and what each slip says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.errors import InputRefused
from hub.model.retry import RetryPolicy, RetryWish
from hub.runtime.parties import party_entries
from hub.runtime.parties_file import parse_parties
from hub.runtime.settings import Settings
from tests.unit.translate.test_parties_file import ONE, text

WHOLE: dict[str, Any] = {
    "attempts": 12, "first_seconds": 0.5, "longest_seconds": 3600, "factor": 3, "jitter": 0,
    "give_up_hours": 36,
}  # fmt: skip


def test_a_subscription_s_stands_before_its_party_s_and_that_before_the_settings() -> None:
    some = {"format": "fhir", "retry": {"attempts": 3, "jitter": 0.1}}
    row = {**ONE, "subscriptions": [some, {"format": "pdf"}], "retry": WHOLE}
    (entry,) = party_entries(parse_parties(text(row)), Path())
    usual = RetryPolicy(attempts=8)
    whole = RetryPolicy(12, timedelta(seconds=0.5), timedelta(hours=1), 3, 0, timedelta(hours=36))
    party = entry.registered
    assert party.retries(usual, "pdf") == whole
    assert party.retries(usual, "notification") == whole
    fhir = party.retries(usual, "fhir")
    assert (fhir.attempts, fhir.jitter, fhir.within) == (3, 0.1, whole.within)
    (plain,) = party_entries(parse_parties(text(ONE)), Path())
    assert plain.registered.retry == RetryWish()
    assert plain.registered.retries(usual, "fhir") == usual


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"attempts": 0}, "retry.attempts"),
        ({"attempts": 1.5}, "retry.attempts"),
        ({"attempts": True}, "retry.attempts"),
        ({"attempts": "8"}, "retry.attempts"),
        ({"first_seconds": 0}, "retry.first_seconds"),
        ({"first_seconds": -1}, "retry.first_seconds"),
        ({"first_seconds": 7200}, "retry.longest_seconds"),
        ({"longest_seconds": float("inf")}, "retry.longest_seconds"),
        ({"longest_seconds": float("nan")}, "retry.longest_seconds"),
        ({"factor": 0.5}, "retry.factor"),
        ({"jitter": 1.1}, "retry.jitter"),
        ({"give_up_hours": 0}, "retry.give_up_hours"),
        ({"give_up": 3}, "unknown key give_up"),
    ],
)
@pytest.mark.parametrize("of_subscription", [True, False])
def test_a_slip_is_named_with_its_place(
    changed: dict[str, Any], place: str, of_subscription: bool
) -> None:
    wrong = WHOLE | changed
    of_one = {"subscriptions": [{"format": "fhir", "retry": wrong}]}
    row = {**ONE, **(of_one if of_subscription else {"retry": wrong})}
    with pytest.raises(InputRefused) as found:
        parse_parties(text(row))
    assert place in found.value.text
    if of_subscription:
        assert "parties[0].subscriptions[0]" in found.value.text


def test_the_settings_say_the_same_as_the_policy_without_them() -> None:
    usual, plain = RetryPolicy(), Settings.model_fields
    assert plain["retry_attempts"].default == usual.attempts
    assert plain["retry_first_seconds"].default == usual.first.total_seconds()
    assert plain["retry_longest_seconds"].default == usual.longest.total_seconds()
    assert plain["retry_factor"].default == usual.factor
    assert plain["retry_jitter"].default == usual.jitter
    assert plain["retry_hours"].default == 0
    assert usual.within is None
