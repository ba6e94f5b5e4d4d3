"""JSON and XML, what was asked for and how, and every failure as FHIR."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from hub.fhir.codec import parse_json
from hub.fhir.parameters import SERVED
from hub.fhir.xml import from_xml, to_xml
from tests.api.fhir.client import FORM, found, get, keys, post_search, search
from tests.api.fhir.writing import versions
from tests.api.world import CPR_1, RUS, World, problem
from tests.views import errors_in

JSON, XML = "application/fhir+json", "application/fhir+xml; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/fhir+json", JSON),
        ("application/fhir+xml", XML),
        ("application/json", JSON),
        ("application/xml", XML),
        ("text/xml", XML),
        ("*/*", JSON),
        ("application/*", JSON),
        ("", JSON),
        ("application/fhir+xml;q=0.5, application/fhir+json", JSON),
        ("application/fhir+json;q=0.5, application/fhir+xml;q=0.9", XML),
        ("text/html, application/fhir+xml;q=0.1", XML),
        ("text/html, */*;q=0.1", JSON),
        ("application/fhir+json; fhirVersion=4.0", JSON),
        ("application/fhir+xml;fhirVersion=4.0", XML),
        ("text/turtle", None),
        ("application/fhir+json;q=0", None),
        ("application/fhir+json; fhirVersion=5.0", None),
        ("application/fhir+turtle", None),
    ],
)
def test_accept(shared_full: World, plan: str, accept: str, media_type: str | None) -> None:
    answer = get(shared_full, f"CarePlan/{plan}", RUS, Accept=accept)
    if media_type is None:
        problem(answer, 406)
    else:
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("json", JSON),
        ("xml", XML),
        ("application/fhir%2Bxml", XML),
        ("application/fhir+xml", XML),
        ("application/json", JSON),
        ("text/xml", XML),
        ("html", None),
        ("ttl", None),
    ],
)
def test_format_goes_before_accept(
    shared_full: World, plan: str, form: str, media_type: str | None
) -> None:
    for accept in ("application/fhir+json", "application/fhir+xml", "text/html"):
        answer = get(shared_full, f"CarePlan/{plan}?_format={form}", RUS, Accept=accept)
        if media_type is None:
            problem(answer, 406)
        else:
            assert answer.headers["content-type"] == media_type


@pytest.mark.parametrize("kind", SERVED)
def test_xml_and_json_are_the_same_resource(shared_full: World, kind: str) -> None:
    for url in (f"{kind}?_count=200&_include=*", f"{kind}/_history?_count=200"):
        as_json = get(shared_full, url, RUS)
        as_xml = get(shared_full, url, RUS, Accept="application/fhir+xml")
        plain, marked = parse_json(as_json.content), from_xml(as_xml.content)
        # The addresses of further pages hold a time, and nothing else does.
        assert plain | {"link": 0} == marked | {"link": 0}
        for entry in plain.get("entry", ()):
            assert from_xml(to_xml(entry["resource"])) == entry["resource"]
    for key in sorted(set(keys(plain)))[:2]:
        first = versions(shared_full, key)[-1]
        for place in (key, f"{key}/_history/{first}"):
            alone = get(shared_full, place, RUS)
            as_xml = get(shared_full, place, RUS, Accept="application/fhir+xml")
            assert from_xml(as_xml.content) == parse_json(alone.content)
            for name in ("etag", "last-modified"):
                assert alone.headers[name] == as_xml.headers[name]


def test_most_types_have_something_to_compare(shared_full: World) -> None:
    empty = {k for k in SERVED if search(shared_full, f"{k}?_summary=count", RUS)["total"] == 0}
    assert empty <= {"Practitioner", "DocumentReference"}


def test_operations_and_metadata_in_xml(shared_full: World, plan: str) -> None:
    for url in (f"CarePlan/{plan}/$document", f"CarePlan/{plan}/$everything", "metadata"):
        as_xml = get(shared_full, url, RUS, Accept="application/fhir+xml")
        assert from_xml(as_xml.content) == found(get(shared_full, url, RUS))


def test_pretty_is_only_for_the_eye(shared_full: World, plan: str) -> None:
    plain, pretty = (get(shared_full, f"CarePlan/{plan}{q}", RUS) for q in ("", "?_pretty=true"))
    assert len(pretty.content) > len(plain.content)
    assert pretty.json() == plain.json()


def test_an_answer_is_kept_by_no_one_else(shared_full: World, plan: str) -> None:
    headers = get(shared_full, f"CarePlan/{plan}", RUS).headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in headers["Vary"]


# Failures


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "CarePlan/none", 404),
        ("GET", "Nothing/x", 404),
        ("GET", "a/b/c/d/e", 404),
        ("GET", "", 405),
        ("DELETE", "CarePlan/x", 405),
        ("PATCH", "CarePlan/x", 405),
        ("POST", "metadata", 404),
        ("DELETE", "Patient", 405),
        ("GET", "CarePlan?date=x", 400),
        ("GET", f"CarePlan?identifier={CPR_1}", 422),
        ("GET", "CarePlan/x?_format=html", 406),
    ],
)
def test_every_failure_is_fhir(shared_full: World, method: str, url: str, status: int) -> None:
    answer = shared_full.request(method, f"/fhir/{url}", RUS)
    problem(answer, status)
    if status == 406:
        return
    as_xml = shared_full.request(
        method, f"/fhir/{url}", RUS, headers={"Accept": "application/fhir+xml"}
    )
    assert as_xml.status_code == status
    assert as_xml.headers["content-type"] == XML
    assert from_xml(as_xml.content) == answer.json()
    assert errors_in(answer.json()) == []


@pytest.mark.parametrize("query", ["status=%zz", "status=%ff", "%E6=1", "status=a%"])
def test_an_address_that_is_not_utf_8_is_refused_and_not_guessed(
    shared_full: World, plan: str, query: str
) -> None:
    for url in ("CarePlan", f"CarePlan/{plan}", f"CarePlan/{plan}/_history"):
        problem(get(shared_full, f"{url}?{query}", RUS), 400)
    form = query.encode() if "%" in query else b"\xff"
    answer = shared_full.request("POST", "/fhir/CarePlan/_search", RUS, content=form, headers=FORM)
    problem(answer, 400)


def test_a_slash_at_the_end_changes_nothing(shared_full: World, plan: str) -> None:
    for url in (f"CarePlan/{plan}", "metadata", f"CarePlan/{plan}/$document"):
        assert get(shared_full, f"{url}/", RUS).content == get(shared_full, url, RUS).content
    assert get(shared_full, f"CarePlan/{plan}//", RUS).status_code == 404


def test_what_is_not_possible_says_what_is(shared_full: World, plan: str) -> None:
    for method, url, allowed in (
        ("DELETE", "metadata", {"GET", "HEAD"}),
        ("DELETE", f"CarePlan/{plan}/$document", {"GET", "HEAD", "POST"}),
        ("DELETE", "CarePlan/_search", {"POST"}),
    ):
        answer = shared_full.request(method, f"/fhir/{url}", RUS)
        problem(answer, 405)
        assert allowed <= set(answer.headers["Allow"].replace(" ", "").split(","))


def test_head_is_get_without_the_body(shared_full: World, plan: str) -> None:
    patient = found(get(shared_full, f"CarePlan/{plan}", RUS))["subject"]["reference"]
    own = f"CarePlan/{plan}"
    for url in (
        "metadata", "CarePlan?status=active", own, f"{own}/_history", f"{own}/_history/1",
        f"{own}/$document", f"{own}/$everything", f"{patient}/$everything", "CarePlan/none",
    ):  # fmt: skip
        head = shared_full.request("HEAD", f"/fhir/{url}", RUS)
        whole = get(shared_full, url, RUS)
        assert head.status_code == whole.status_code
        assert head.content == b""
        for name in ("content-type", "etag", "last-modified"):
            assert head.headers.get(name) == whole.headers.get(name), url


def test_a_failure_of_the_hub_is_fhir_and_tells_no_value(
    full: World, plan: str, nothing_personal_in_the_log: list[dict[str, object]]
) -> None:
    def broken() -> datetime:
        raise RuntimeError(CPR_1)

    failing = World(replace(full.hub, clock=broken), full.secrets, full.clock)
    for url in (f"CarePlan/{plan}", "CarePlan", f"CarePlan/{plan}/$document"):
        answer = get(failing, url, RUS)
        (issue,) = problem(answer, 500, move="operator")
        assert issue["code"] == "exception"
    lines = [x for x in nothing_personal_in_the_log if x["event"] == "request.failed"]
    assert {line["error"] for line in lines} == {"RuntimeError"}
    assert CPR_1 not in repr(lines)


def test_a_search_by_form_answers_in_xml_too(shared_full: World) -> None:
    form = {"_format": "xml", "status": "active", "_count": "1"}
    answer = post_search(shared_full, "CarePlan", form, RUS)
    assert answer.headers["content-type"] == XML
    following = next(x for x in from_xml(answer.content)["link"] if x["relation"] == "next")
    assert following["url"].endswith("&_format=xml")
    problem(post_search(shared_full, "CarePlan", {"_format": "csv"}, RUS), 406)
