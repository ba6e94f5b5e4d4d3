"""Everything that is not FHIR answers as its OpenAPI document says, whatever is sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from lxml import html
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.runtime.bootstrap import close
from tests.api.conftest import Template
from tests.api.world import OPERATOR, RUS, World

FULL = os.environ.get("KI_HUB_TEST_FULL") == "1"
CHECKS = (
    schemathesis.checks.not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)


@pytest.fixture(scope="module")
def described(plan_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A hub in the middle of the scenario, that anything may be done to."""
    found = plan_template.copy(tmp_path_factory.mktemp("described") / "data")
    yield found
    close(found.hub)


EACH = settings(
    max_examples=200 if FULL else 5,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_the_page_says_what_the_document_says_and_needs_no_other_server(
    described: World,
) -> None:
    answer = described.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = html.fromstring(answer.text)
    assert page.xpath("string(//html/@lang)") == "en"
    assert len(page.xpath("//h1")) == 1
    shown = {heading.text_content() for heading in page.xpath("//section/h2/code")}
    paths = described.get("/openapi.json").json()["paths"]
    assert shown == {f"{m.upper()} {path}" for path, item in paths.items() for m in item}
    assert not any(path.startswith("/fhir") for path in paths)
    links = page.xpath("//@href | //@src")
    assert "/fhir/metadata" in links
    ids = set(page.xpath("//@id"))
    assert [x for x in links if x.startswith("#") and x[1:] not in ids] == []
    assert [x for x in links if "//" in x] == []
    assert not page.xpath("//script | //link | //img")


def holds(operation: Any, mode: schemathesis.GenerationMode, secret: str) -> None:
    """Requests that the document allows (POSITIVE), or does not."""

    @EACH
    @given(operation.as_strategy(generation_mode=mode))
    def send(case: schemathesis.Case) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)

    send()


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_every_answer_is_as_described(
    described: World, mode: schemathesis.GenerationMode, subtests: pytest.Subtests
) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", described.app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 15
    for operation in operations:
        silent = operation.path.startswith(("/health/", "/oauth/"))
        if mode is schemathesis.GenerationMode.NEGATIVE and silent:
            continue  # nothing that is described is sent, so nothing of it can be wrong
        who = OPERATOR if operation.path.startswith("/operations") else RUS
        with subtests.test(f"{operation.method.upper()} {operation.path}"):
            holds(operation, mode, described.secrets[who])
