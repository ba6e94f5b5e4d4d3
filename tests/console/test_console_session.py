"""Sessions end when they must, in every process, and a form's token belongs to one session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from hub.console import mount
from hub.console.session import form_token, form_token_holds
from hub.console.visit import own_path
from hub.errors import StoreReadOnly, StoreUnavailable
from hub.model.session import Area
from hub.ports import Begun
from hub.runtime.bootstrap import close
from hub.runtime.parties import operator_entries, party_entries
from hub.runtime.parties_file import read_parties
from hub.services.admin import apply_parties
from hub.services.hub import Hub
from hub.services.logins import KEPT, MOST, Pending, Sessions, forget_logins
from hub.services.restored import restored
from hub.store.login_tables import CONSOLE_LOGIN, CONSOLE_SESSION
from tests.api.conftest import Template, empty_template  # noqa: F401  (a fixture)
from tests.api.world import PSYK, World, opened
from tests.bench.counting import counting
from tests.views import ROOT

IDLE, LIFETIME = timedelta(minutes=15), timedelta(hours=8)
SECOND = timedelta(seconds=1)


@dataclass
class Place:
    """One database, and two processes on it."""

    world: World
    other: Hub

    @property
    def hub(self) -> Hub:
        return self.world.hub

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.hub)

    @property
    def others(self) -> Sessions:
        return Sessions(self.other)

    def rows(self) -> list[str]:
        """All that is written about sessions and logins."""
        with self.hub.store.database.engine.connect() as db:
            return [str(r) for t in (CONSOLE_SESSION, CONSOLE_LOGIN) for r in db.execute(select(t))]


@pytest.fixture(scope="module")
def place(
    empty_template: Template,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("sessions") / "data"
    world = empty_template.copy(folder)
    other = opened(folder, world.secrets).hub
    yield Place(world, replace(other, clock=world.clock))
    close(world.hub)
    close(other)


def test_a_session_is_found_in_its_own_area_only(place: Place) -> None:
    made = place.sessions.open("operator", "Drift")
    for sessions in (place.sessions, place.others):
        found = sessions.find("operator", made)
        assert found is not None
        assert found.name == "Drift"
        assert sessions.find("party", made) is None
        assert sessions.find("operator", made + "x") is None
        assert sessions.find("operator", None) is None


def test_the_id_itself_is_not_kept(place: Place) -> None:
    made = place.sessions.open("operator", "Drift")
    waits = Pending(place.hub).keep(Begun("u", "s", "n", "v"), "operator", "/")
    assert len(place.rows()) >= 2
    assert not [r for r in place.rows() if made in r or waits in r]


def test_an_idle_session_ends(place: Place) -> None:
    made = place.sessions.open("operator", "Drift")
    place.world.clock.advance(seconds=(IDLE - SECOND).seconds)
    assert place.sessions.find("operator", made) is not None
    place.world.clock.advance(minutes=15)
    assert place.others.find("operator", made) is None
    assert forget_logins(place.hub) >= 1
    assert place.sessions.find("operator", made) is None


def test_a_page_that_refreshes_itself_is_no_use(place: Place) -> None:
    made = place.sessions.open("operator", "Drift")
    for _ in range(14):
        place.world.clock.advance(minutes=1)
        assert place.others.find("operator", made, used=False) is not None
    place.world.clock.advance(minutes=1)
    assert place.others.find("operator", made, used=False) is None


def test_a_session_in_use_ends_after_a_working_day(place: Place) -> None:
    made, began = place.sessions.open("operator", "Drift"), place.world.clock()
    while place.world.clock() - began < LIFETIME - IDLE / 2:
        assert place.sessions.find("operator", made) is not None
        place.world.clock.advance(minutes=7.5)
    place.world.clock.advance(minutes=7.5)
    assert place.others.find("operator", made) is None
    assert forget_logins(place.hub) >= 1


def test_a_provider_is_asked_for_the_roles_within_the_hour(place: Place) -> None:
    """A role that was taken away there stays no longer."""
    made = place.sessions.open("party", "psyk", frozenset({"lead"}), "Signe Prøve")
    for _ in range(8):
        place.world.clock.advance(minutes=7)
        assert place.sessions.find("party", made) is not None
    place.world.clock.advance(minutes=4)
    assert place.sessions.find("party", made) is None


@pytest.mark.parametrize(("area", "name"), [("operator", "Drift Demo"), ("party", PSYK)])
def test_a_credential_that_is_replaced_ends_what_it_opened(
    place: Place, area: Area, name: str
) -> None:
    by_credential = place.sessions.open(area, name)
    others = [
        place.sessions.open(area, name, person="Signe Prøve"), place.sessions.open(area, "other")
    ]  # fmt: skip
    file = ROOT / "hub" / "demo" / "parties.yaml"
    read = read_parties(file)
    entries = party_entries(read, file.parent), operator_entries(read, file.parent)

    def applied(*, renew: bool) -> None:
        apply_parties(place.hub, *entries, read.citizen_format, by="test", renew=renew)

    applied(renew=False)
    assert place.others.find(area, by_credential) is not None
    applied(renew=True)
    assert place.others.find(area, by_credential) is None
    assert all(place.sessions.find(area, other) for other in others)


def test_logging_out_ends_it_everywhere(place: Place) -> None:
    made = place.sessions.open("party", "psyk")
    place.others.close(made)
    place.others.close(made)
    place.others.close(None)
    assert place.sessions.find("party", made) is None


def test_a_new_login_takes_the_place_of_the_one_before(place: Place) -> None:
    first = place.sessions.open("party", "psyk")
    made = place.others.open("party", "psyk", instead_of=first)
    assert place.sessions.find("party", first) is None
    assert place.sessions.find("party", made) is not None


def test_a_page_costs_one_look_and_once_a_minute_a_line(place: Place) -> None:
    """BEGIN and SELECT; with PostgreSQL the mode of the transaction and SELECT."""
    made = place.sessions.open("operator", "Drift")

    def cost(seconds: float) -> tuple[int, int]:
        place.world.clock.advance(seconds=seconds)
        with counting(place.other.store.database.engine) as counted:
            assert place.others.find("operator", made) is not None
        return counted.statements.total(), counted.commits

    assert [cost(s) for s in (0, 30, 29)] == [(2, 0)] * 3
    assert cost(1) == (4, 1)
    assert cost(59) == (2, 0)


def test_who_is_in_stays_in_while_the_database_takes_no_changes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = place.sessions.open("operator", "Drift")

    def no() -> None:
        raise StoreReadOnly

    place.world.clock.advance(minutes=10)
    with monkeypatch.context() as patch:
        patch.setattr(place.hub.store.database, "_expect_writable", no)
        assert place.sessions.find("operator", made) is not None
        with pytest.raises(StoreReadOnly):
            place.sessions.open("operator", "Drift")
    place.world.clock.advance(minutes=5)
    assert place.sessions.find("operator", made) is None, "it could not be noted, and is idle now"


def test_a_page_says_that_the_database_is_away(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is logged in cannot be said then; that is a page, and no failure of the console's own."""

    def away() -> None:
        raise StoreUnavailable

    mount(place.world.app, place.hub)
    cookie = {"Cookie": f"ki_hub_operator={place.sessions.open('operator', 'Drift')}"}
    with monkeypatch.context() as patch:
        patch.setattr(place.hub.store.database, "reading", away)
        answer = place.world.request("GET", "/console/plans", None, headers=cookie)
    assert answer.status_code == 503
    assert "text/html" in answer.headers["content-type"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert 'action="/logout"' not in answer.text


def test_a_restored_backup_lets_nobody_in(place: Place) -> None:
    made = place.sessions.open("operator", "Drift")
    restored(place.hub, by="Drift")
    assert place.sessions.find("operator", made) is None


def test_a_login_on_its_way_is_taken_once_in_its_time(place: Place) -> None:
    pending, other = Pending(place.hub), Pending(place.other)
    begun = Begun("https://provider.example/", "state", "nonce", "verifier")
    known = pending.keep(begun, "party", "/decisions")
    assert other.take(None, "state") is None
    assert other.take("guessed", "state") is None
    found = other.take(known, "state")
    assert found is not None
    assert (found.begun, found.area, found.path) == (begun, "party", "/decisions")
    assert pending.take(known, "state") is None
    assert other.take(pending.keep(begun, "party", "/"), "another") is None
    late = pending.keep(begun, "party", "/")
    place.world.clock.advance(seconds=KEPT.total_seconds())
    assert other.take(late, "state") is None


def test_what_nobody_came_back_from_is_deleted(place: Place) -> None:
    pending = Pending(place.hub)
    pending.keep(Begun("u", "s", "n", "v"), "party", "/")
    forget_logins(place.hub)
    assert [r for r in place.rows() if "verifier" in r or "'v'" in r]
    place.world.clock.advance(seconds=KEPT.total_seconds())
    assert forget_logins(place.hub) >= 1
    assert not [r for r in place.rows() if "'v'" in r]
    assert MOST <= 1000


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_token_holds_for_its_visitor_and_session_alone(one: str, two: str, other: str) -> None:
    token = form_token(one, two)
    assert form_token_holds(token, one, two)
    assert form_token_holds(token, other, two) == (other == one)
    assert form_token_holds(token, one, other) == (other == two)
    assert not form_token_holds(other, one, two)


@pytest.mark.parametrize(
    "path",
    ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "", "console",
     "javascript:alert(1)", "/a\r\nSet-Cookie: x=y"],
)  # fmt: skip
def test_one_never_leaves_the_site(path: str) -> None:
    assert own_path(path, "/") == "/"


def test_a_path_of_the_site_is_kept() -> None:
    assert own_path("/console/deliveries?state=dead", "/") == "/console/deliveries?state=dead"
