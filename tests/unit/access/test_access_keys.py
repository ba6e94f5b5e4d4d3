"""Keys that others publish: kept, fetched anew, and held to what is strong enough."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from hub.access.keys import Published, public_keys
from hub.errors import Invalid, ReceiverUnavailable
from hub.outside import Answered

URL = "https://client.example/jwks"


def key(kid: str) -> dict[str, Any]:
    return dict(ECKey.generate_key("P-384", {"kid": kid}).as_dict(private=False))


class Outside:
    """Answers what it is told, and counts."""

    def __init__(self, *kids: str) -> None:
        self.body: Any = {"keys": [key(k) for k in kids]}
        self.status = 200
        self.calls = 0

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        timeout: float,
        direct: bool = True,
    ) -> Answered:
        assert (method, url) == ("GET", URL)
        self.calls += 1
        return Answered(self.status, json.dumps(self.body).encode(), "application/json")


class Watch:
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_keys_are_kept_and_a_new_one_is_fetched_though_not_at_every_guess() -> None:
    outside, watch = Outside("a"), Watch()
    published = Published(outside, watch)
    assert {published.keys(URL, kid).keys[0].kid for kid in ("a", "b", None)} == {"a"}
    assert outside.calls == 1
    outside.body = {"keys": [key("b")]}
    watch.now += timedelta(seconds=31)
    assert published.keys(URL, "a").keys[0].kid == "a"
    assert published.keys(URL, "b").keys[0].kid == "b"
    assert published.keys(URL, "guessed").keys[0].kid == "b"
    assert outside.calls == 2
    watch.now += timedelta(minutes=10)
    published.keys(URL, "b")
    assert outside.calls == 3


@pytest.mark.parametrize(("status", "body"), [(404, {}), (200, []), (200, "x"), (302, {})])
def test_what_is_not_there_is_temporary(status: int, body: Any) -> None:
    outside = Outside("a")
    outside.status, outside.body = status, body
    with pytest.raises(ReceiverUnavailable):
        Published(outside, Watch()).keys(URL, "a")


def test_only_public_named_strong_keys_are_taken() -> None:
    weak = {"kty": "RSA", "kid": "w", "n": "u" * 171, "e": "AQAB"}
    private = ECKey.generate_key("P-384", {"kid": "p"}, private=True).as_dict(private=True)
    shared = OctKey.generate_key(256, {"kid": "s"}).as_dict(private=True)
    nameless = {k: v for k, v in key("n").items() if k != "kid"}
    broken = key("b") | {"x": "!"}
    for wrong in (weak, private, shared, nameless, broken, 7):
        with pytest.raises(Invalid):
            public_keys({"keys": [wrong]})
    for wrong in ({}, {"keys": []}, {"keys": 7}):
        with pytest.raises(Invalid):
            public_keys(wrong)
    assert public_keys({"keys": [key("a")]}).keys[0].kid == "a"
