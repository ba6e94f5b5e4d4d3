"""The pages over HTTP, as a browser without JavaScript gets them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.model.party import SYSTEM, Viewer
from hub.model.records import InboxState
from hub.services import overview, queries, received
from hub.services.breakers import endpoint_rows
from tests.api.world import RUS
from tests.console.conftest import Site, log_in, token_in
from tests.console.seed import (
    BO,
    EXAMPLES,
    KARLA,
    NOTED,
    NOTED_BY_LEAD,
    PROPOSED,
    SAMPLES,
    WRITTEN,
)
from tests.views import parties

OPERATOR = ("/", "/console/deliveries", "/console/plans", "/console/parties", "/console/messages",
            "/console/tasks")  # fmt: skip
PERSON = ("/decisions", "/decisions/consent", "/decisions/approval")


def details(site: Site) -> list[str]:
    """Every page about one thing."""
    viewer, hub = Viewer("operator", "test"), site.seeded.hub
    found = [f"/console/deliveries/{d.id}" for d in queries.deliveries(hub, viewer)]
    found += [f"/console/plans/{p.id}" for p in queries.plans(hub, viewer)]
    return found + [f"/console/messages/{m.id}" for m in received.received(hub, viewer)]


def private_words() -> set[str]:
    """Numbers, citizens' names and every longer text of the example citizens' documents."""
    found = {KARLA, BO, "Karla", "Nygaard", "Lindahl"}
    for name in ("plan-1.json", "plan-2.json"):
        found |= set(_texts(json.loads((EXAMPLES / name).read_bytes())))
    found |= set(_texts(json.loads((SAMPLES / "vum/samples/order-full.json").read_bytes())))
    xml = (SAMPLES / "behandlingsplan/samples/typical.xml").read_text(encoding="utf-8")
    found |= {t for t in re.findall(r">([^<>]{25,})<", xml) if not t.startswith("http")}
    found |= {PROPOSED, NOTED, NOTED_BY_LEAD, WRITTEN}
    return found - {p.name for p in parties().values()}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for child in value.values():
            yield from _texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)
    elif isinstance(value, str) and len(value) >= 25 and " " in value and "http" not in value:
        yield value


@pytest.mark.parametrize("path", [*OPERATOR, *PERSON, "/console/plans/x", "/console/deliveries/x"])
def test_without_a_login_the_way_is_to_the_login_page(site: Site, path: str) -> None:
    with site.visitor() as client:
        answer = client.get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(
        "/decisions/login" if path.startswith("/decisions") else "/login"
    )
    assert answer.text == ""


def test_a_refresh_without_a_login_goes_there_too(site: Site) -> None:
    with site.visitor() as client:
        answer = client.get("/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login"


def test_a_login_for_one_door_does_not_open_the_other(site: Site) -> None:
    with site.operator() as client:
        assert client.get("/decisions").status_code == 303
    with site.person("psyk-nordstrand") as client:
        assert client.get("/").status_code == 303
    with site.visitor() as client:
        refused = log_in(client, "/login", site.seeded.secrets["psyk-nordstrand"])
        assert refused.status_code == 401
        refused = log_in(client, "/decisions/login", site.seeded.operator)
        assert refused.status_code == 401
        assert "Adgangsnøglen er ikke kendt" in refused.text


def test_after_login_one_sees_the_page_one_came_for(site: Site) -> None:
    with site.visitor() as client:
        to_login = client.get("/console/deliveries?state=dead").headers["Location"]
        page = client.get(to_login).text
        back = unescape(re.search(r'name="next" value="([^"]*)">\s*<div', page)[1])  # type: ignore[index]
        assert back == "/console/deliveries?state=dead"
        form = {"token": token_in(page), "credential": site.seeded.operator, "next": back}
        assert client.post("/login", data=form).headers["Location"] == back
        assert client.get(back).status_code == 200


def test_logging_out_ends_the_session(site: Site) -> None:
    with site.operator() as client:
        cookies = dict(client.cookies)
        out = client.post("/logout", data={"token": token_in(client.get("/").text)})
        assert out.headers["Location"] == "/login"
    with site.visitor() as client:
        client.cookies.update(cookies)
        assert client.get("/").status_code == 303


def test_the_cookies_are_for_the_server_alone(site: Site) -> None:
    with site.visitor() as client:
        page = client.get("/login")
        answer = log_in(client, "/login", site.seeded.operator)
    for cookie in (*page.headers.get_list("Set-Cookie"), *answer.headers.get_list("Set-Cookie")):
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
    assert site.seeded.operator not in str(answer.headers)


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_a_form_without_its_token_is_refused(site: Site, token: str | None) -> None:
    given = {} if token is None else {"token": token}
    with site.operator() as client:
        for path in ("/console/parties/rus-havneby/pause", "/logout", "/language"):
            answer = client.post(path, data=given | {"reason": "prøve", "language": "en"})
            assert answer.status_code == 403
            assert "session" in answer.text
        assert client.get("/").status_code == 200
    paused = [p.party.id for p in overview.parties(site.seeded.hub, SYSTEM) if p.paused]
    assert paused == ["koord-nordstrand"]


def test_anothers_token_is_refused(site: Site) -> None:
    with site.operator() as one, site.operator() as other:
        token = token_in(other.get("/").text)
        assert one.post("/logout", data={"token": token}).status_code == 403


@pytest.mark.parametrize("language", ["da", "en"])
def test_no_page_of_the_operator_holds_anything_private(site: Site, language: str) -> None:
    words = private_words()
    assert len(words) > 60
    with site.operator(language) as client:
        for path in (*OPERATOR, *details(site)):
            answer = client.get(path)
            assert answer.status_code == 200, path
            text = unescape(answer.text)
            assert [w for w in words if w in text] == [], path
            assert f'<html lang="{language}">' in answer.text


def test_of_a_sealed_document_not_even_the_format_is_shown(site: Site) -> None:
    viewer, hub = Viewer("operator", "test"), site.seeded.hub
    (sealed,) = received.received(hub, viewer, "sealed")
    with site.operator("en") as client:
        page = client.get(f"/console/messages/{sealed.id}").text
        row = client.get("/console/messages?state=sealed").text.split(f'id="m-{sealed.id}"')[1]
    assert "Sealed" in page
    assert "not shown" in page
    assert "fhir" not in re.sub(r"<[^>]*>", "", page.split("<main", 1)[1])
    assert "fhir" not in row.split("</tr>")[0]


def test_the_headers_keep_pages_safe(site: Site) -> None:
    with site.operator() as client:
        for path in (*OPERATOR, "/console/deliveries/none", "/console/nothing", "/login"):
            headers = client.get(path).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Content-Language"] == "da"


def test_nothing_is_inline(site: Site) -> None:
    with site.operator() as client:
        for path in OPERATOR:
            text = client.get(path).text
            assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text) == []


def test_what_is_not_there_is_a_page_and_the_api_keeps_its_own_answer(site: Site) -> None:
    with site.operator() as client:
        for path in ("/console/deliveries/none", "/console/plans/none", "/console/messages/none",
                     "/console/nothing"):  # fmt: skip
            answer = client.get(path)
            assert answer.status_code == 404
            assert answer.headers["Content-Type"].startswith("text/html")
            assert "<h1>Findes ikke</h1>" in answer.text
        api = client.get("/fhir/nothing")
        assert api.status_code == 401
        assert api.json()["resourceType"] == "OperationOutcome"
        assert client.get("/tasks").status_code == 401


def test_the_static_files_are_served_with_a_version(site: Site) -> None:
    with site.visitor() as client:
        page = client.get("/login").text
        found = re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page)
        assert len(found) == 4
        for path in found:
            answer = client.get(path)
            assert answer.status_code == 200
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_language_is_chosen_and_remembered(site: Site) -> None:
    with site.operator("da") as client:
        page = client.get("/console/plans").text
        form = {"token": token_in(page), "language": "en", "next": "/console/plans"}
        assert client.post("/language", data=form).headers["Location"] == "/console/plans"
        assert '<html lang="en">' in client.get("/").text
        assert client.post("/language", data=form | {"language": "xx"}).status_code == 422


def test_the_demo_opens_to_a_browser_on_this_machine_only(site: Site) -> None:
    with site.visitor() as client:
        page = client.get("/login").text
        assert "/login/demo" in page
        assert site.seeded.operator not in page
        foreign = client.get("/login", headers={"Host": "rebound.example"}).text
        assert "/login/demo" not in foreign
        token = {"token": token_in(page)}
        refused = client.post("/login/demo", data=token, headers={"Host": "rebound.example"})
        assert refused.status_code == 404
        assert client.post("/login/demo", data=token).headers["Location"] == "/"
        assert client.get("/").status_code == 200


def test_in_the_demo_one_can_be_any_unit_s_people(site: Site) -> None:
    with site.visitor() as client:
        page = client.get("/decisions/login").text
        assert site.seeded.secrets[RUS] not in page
        assert f'<option value="{RUS}">' in page
        form = {"token": token_in(page), "unit": RUS}
        refused = {"Host": "rebound.example"}
        answer = client.post("/decisions/login/demo", data=form, headers=refused)
        assert answer.status_code == 404
        assert client.post("/decisions/login/demo", data=form | {"unit": "x"}).status_code == 404
        answer = client.post("/decisions/login/demo", data=form)
        assert answer.headers["Location"] == "/decisions"
        assert client.get("/decisions").status_code == 200
        assert client.get("/").status_code == 303, "the operator's pages stay closed"


def test_filters_show_what_was_asked_for(site: Site) -> None:
    hub = site.seeded.hub
    with site.operator("en") as client:
        dead = client.get("/console/deliveries", params={"state": "dead"}).text
        wanted = queries.deliveries(hub, SYSTEM, state="dead")
        assert wanted
        assert re.findall(r'<tr id="d-([^"]+)"', dead) == [d.id for d in wanted]
        plan = site.seeded.plans[BO]
        page = client.get("/console/deliveries", params={"plan": plan, "receiver": "citizen"}).text
        (one,) = queries.deliveries(hub, SYSTEM, plan_id=plan, receiver="citizen")
        assert re.findall(r'<tr id="d-([^"]+)"', page) == [one.id]
        everything = client.get("/console/deliveries").text
        states = re.findall(r'<tr id="d-[^"]+" class="row-(\w+)"', everything)
        assert states.index("dead") < states.index("blocked") < states.index("delivered")
        assert "No deliveries" in client.get("/console/deliveries?state=nonsense").text


def test_a_pause_needs_a_reason_and_holds_until_it_is_lifted(own_site: Site) -> None:
    hub = own_site.seeded.hub

    def paused() -> dict[str, str | None]:
        return {p.party.id: p.paused_reason for p in overview.parties(hub, SYSTEM) if p.paused}

    before = paused()
    with own_site.operator("en") as client:
        token = {"token": token_in(client.get("/console/parties").text)}
        path = "/console/parties/laege-havnegade"
        for reason in ("", "   "):
            refused = client.post(f"{path}/pause", data=token | {"reason": reason})
            assert refused.status_code == 422
            assert "Say why" in refused.text
        assert paused() == before
        client.post(f"{path}/pause", data=token | {"reason": "Summer <closing>"})
        assert paused() == before | {"laege-havnegade": "Summer <closing>"}
        assert "Summer &lt;closing&gt;" in client.get("/console/parties").text
        assert client.post(f"{path}/resume", data=token).status_code == 422
        assert "laege-havnegade" in paused()
        client.post(f"{path}/resume", data=token | {"reason": "Open again"})
        assert paused() == before
        unknown = client.post("/console/parties/nobody/pause", data=token | {"reason": "x"})
        assert unknown.status_code == 404


def test_an_endpoint_that_fails_is_shown_and_sent_to_again_for_a_reason(own_site: Site) -> None:
    hub, endpoint = own_site.seeded.hub, "https://ehr.example:443"
    with hub.store.writing() as work:
        found = work.breakers.lock(endpoint)
        for _ in range(hub.breaker.failures):
            reason = "The endpoint answered 503"
            found = found.failed("d", reason, datetime.now(UTC), hub.breaker)
        work.breakers.save(found)
        work.commit()
    with own_site.operator("da") as client:
        page = client.get("/console/parties").text
        assert "Modtagerens adresse svarede 503" in page
        assert "Lades i fred" in page
        said = {"token": token_in(page), "endpoint": endpoint}
        refused = client.post("/console/endpoints/reset", data=said | {"reason": " "})
        assert refused.status_code == 422
        assert len(endpoint_rows(hub)) == 1
        client.post("/console/endpoints/reset", data=said | {"reason": "Genstartet"})
        assert endpoint_rows(hub) == []
        again = client.post("/console/endpoints/reset", data=said | {"reason": "Genstartet"})
        assert again.status_code == 404
    with hub.store.reading() as work:
        row = work.journal.audit_of(f"endpoint/{endpoint}")[-1]
    assert (row["action"], row["reason"]) == ("endpoint-close", "Genstartet")


def consent_form(token: str, form_id: str) -> dict[str, str | list[str]]:
    """A consent of a third citizen."""
    return {
        "token": token, "form": form_id, "cpr": "010180-9995",
        "purpose": ["make-plan", "exchange"], "unit": ["psyk-nordstrand", "rus-havneby"],
        "giver": "citizen", "mode": "written", "person": "Sygeplejerske", "answer": "yes",
        "date": (datetime.now(UTC) - timedelta(days=1)).date().isoformat(),
        "evidence": "Underskrevet på stuen",
    }  # fmt: skip


def hidden(page: str, name: str) -> str:
    return re.search(f'name="{name}" value="([^"]*)"', page)[1]  # type: ignore[index]


def test_a_consent_goes_through_the_same_door_as_the_api(own_site: Site) -> None:
    hub = own_site.seeded.hub
    with own_site.person("psyk-nordstrand", "en") as client, capture_logs() as logs:
        page = client.get("/decisions/consent").text
        form = consent_form(token_in(page), hidden(page, "form"))
        answer = client.post("/decisions/consent", data=form)
        assert answer.status_code == 303
        done = client.get(answer.headers["Location"]).text
        assert "is registered" in done
        again = client.post("/decisions/consent", data=form)
        assert again.headers["Location"] == answer.headers["Location"]
        assert "0101809995" not in done + str(answer.headers) + str(logs)
    message = answer.headers["Location"].rsplit("/", 1)[1]
    found = received.received_one(hub, SYSTEM, message)
    assert (found.sender, found.state, found.format) == ("psyk-nordstrand", "applied", "fhir")
    with own_site.person("rus-havneby") as other:
        assert other.get(answer.headers["Location"]).status_code == 404


def test_an_incomplete_consent_is_shown_again_and_nothing_is_kept(own_site: Site) -> None:
    hub = own_site.seeded.hub
    before = len(received.received(hub, SYSTEM))
    with own_site.person("psyk-nordstrand", "en") as client:
        page = client.get("/decisions/consent").text
        assert " checked" not in page
        form = consent_form(token_in(page), hidden(page, "form")) | {"mode": "", "unit": []}
        answer = client.post("/decisions/consent", data=form)
    assert answer.status_code == 422
    assert 'id="mode-fault"' in answer.text
    assert 'id="unit-fault"' in answer.text
    assert 'value="010180-9995"' in answer.text
    assert len(received.received(hub, SYSTEM)) == before


def test_an_approval_lets_the_waiting_receiver_have_the_plan(own_site: Site) -> None:
    hub, plan = own_site.seeded.hub, own_site.seeded.plans[BO]
    (waiting,) = queries.deliveries(
        hub, SYSTEM, state="blocked", receiver="laege-havnegade", plan_id=plan
    )
    with own_site.person("psyk-nordstrand", "en") as client:
        link = re.search(rf'href="(/decisions/approval\?plan={plan}[^"]*)"',
                         client.get("/decisions").text)  # fmt: skip
        assert link is not None
        page = client.get(unescape(link[1])).text
        assert f'value="{plan}"' in page
        form = {
            "token": token_in(page), "form": hidden(page, "form"), "cpr": BO, "plan": plan,
            "version": str(waiting.version), "decision": "yes", "giver": "citizen",
            "mode": "oral", "date": datetime.now(UTC).date().isoformat(),
        }  # fmt: skip
        wrong = client.post("/decisions/approval", data=form | {"cpr": KARLA})
        assert wrong.status_code == 422
        assert "another citizen" in wrong.text
        unknown = client.post(
            "/decisions/approval", data=form | {"plan": "none", "form": "another"}
        )
        assert unknown.status_code == 422
        assert "No such plan version" in unknown.text
        form["form"] = hidden(wrong.text, "form")
        assert client.post("/decisions/approval", data=form).status_code == 303
    after = queries.delivery_detail(hub, SYSTEM, waiting.id).delivery
    assert after.state.value == "due"
    assert after.reason == "Approved by the citizen"
    answered_after_a_no(own_site, plan, form)


def answered_after_a_no(own_site: Site, plan: str, form: dict[str, Any]) -> None:
    with own_site.person("psyk-nordstrand", "en") as client:
        path = f"/decisions/no/{plan}"
        assert path not in client.get("/decisions").text
        again = client.get("/decisions/approval").text
        said = form | {"decision": "no", "token": token_in(again), "form": hidden(again, "form")}
        assert client.post("/decisions/approval", data=said).status_code == 303
        assert path in client.get("/decisions").text
        page = client.get(path).text
        assert " checked" not in page
        empty = {"token": token_in(page), "person": "Sygeplejerske"}
        assert client.post(path, data=empty).status_code == 422
        told = empty | {"consent": "holds", "meeting": "needed"}
        assert client.post(path, data=told).status_code == 303
        assert path not in client.get("/decisions").text
        assert client.post(path, data=told).status_code == 404


def test_a_form_that_is_too_large_is_refused(site: Site) -> None:
    with site.operator("en") as client:
        answer = client.post("/logout", data={"token": "x" * 40_000})
        assert answer.status_code == 413
        assert "too large" in answer.text


@pytest.mark.parametrize(
    ("language", "ask", "say"),
    [("da", "Se det modtagne indhold", "Skriv hvorfor"), ("en", "See the received", "Say why")],
)
def test_what_was_not_understood_is_a_file_for_a_reason(
    own_site: Site, language: str, ask: str, say: str
) -> None:
    hub, body = own_site.seeded.hub, b"{<script>alert(1)</script>"
    refused = own_site.seeded.send("rus-havneby", "fhir", body)
    with own_site.operator(language) as client:
        page = f"/console/messages/{refused.id}"
        assert ask in client.get(page).text
        form = client.get(f"{page}/bytes").text
        assert "alert(1)" not in form
        token = {"token": token_in(form)}
        for reason in ("", "  ", f"om {KARLA}"):
            told = client.post(f"{page}/bytes", data=token | {"reason": reason})
            assert told.status_code == 422
            assert say in unescape(told.text)
        answer = client.post(f"{page}/bytes", data=token | {"reason": "Fejl hos afsender"})
        assert (answer.status_code, answer.content) == (200, body)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert client.post(f"{page}/bytes", data={"reason": "x"}).status_code == 403
    with hub.store.reading() as work:
        rows = [r for r in work.journal.audit_of(f"inbox/{refused.id}") if r["action"] != "receive"]
    assert [r["detail"] for r in rows] == ["Fejl hos afsender"]


@pytest.mark.parametrize("state", ["sealed", "applied"])
def test_there_is_no_file_of_what_is_sealed_or_applied(site: Site, state: InboxState) -> None:
    viewer, hub = Viewer("operator", "test"), site.seeded.hub
    message = received.received(hub, viewer, state)[0]
    with site.operator("en") as client:
        page = client.get(f"/console/messages/{message.id}").text
        assert "See the received" not in page
        path = f"/console/messages/{message.id}/bytes"
        assert client.get(path).status_code == 404
        data = {"token": token_in(page), "reason": "x"}
        assert client.post(path, data=data).status_code == 404
