"""The tutorial and README's example, done as a reader does them, in a copy of the checkout."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub.demo.sectors import until
from tests.docs.pages import DOCS, ROOT, code_spans, fences
from tests.docs.reader import Reader, copied

PAGE = DOCS / "getting-started.md"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    found = Reader(copied(tmp_path_factory.mktemp("clone")))
    yield found
    found.leaves()


@pytest.fixture(scope="module")
def told(reader: Reader) -> list[str]:
    """What every block of the page printed, in order."""
    return reader.follows(PAGE)


def number_of(command: str) -> int:
    """Which block has the command."""
    (found,) = [i for i, block in enumerate(fences(PAGE, "sh")) if command in block]
    return found


def test_everything_is_ready(told: list[str]) -> None:
    said = told[number_of("ki-hub doctor")].splitlines()
    asked = ("database", "schema", "writing", "broker", "formats", "access", "parties")
    assert said[-7:] == [f"{name}: ok" for name in asked]


def test_each_party_has_a_credential_that_nobody_else_can_read(
    told: list[str], reader: Reader
) -> None:
    file = reader.folder / "credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(json.loads(file.read_text())) == 7, "six parties and an operator"
    assert str(reader.folder / "data-own") in reader.does('echo "$PWD/$KI_HUB_DATA"')
    assert list((reader.folder / "data-own").glob("*.db"))


def test_the_consent_is_registered(told: list[str]) -> None:
    assert "registered" in told[number_of("consent register")]


def test_the_document_is_kept_until_there_is_a_plan(told: list[str], reader: Reader) -> None:
    number = number_of("/documents/behandlingsplan")
    answer = json.loads(told[number])
    assert answer["resourceType"] == "OperationOutcome"
    assert "no plan yet" in answer["issue"][0]["details"]["text"]
    again = reader.does(fences(PAGE, "sh")[number])
    assert again == told[number], "send the same again and you get the same answer"


def test_nothing_waits_before_there_is_a_plan(told: list[str]) -> None:
    assert json.loads(told[number_of("/mailbox")]) == []
    assert json.loads(told[number_of("plans --json")].partition("\n")[2] or "[]") == []


def test_the_console_asks_who_is_there(told: list[str], reader: Reader) -> None:
    page = httpx.get(f"{reader.base}/", follow_redirects=True, timeout=30)
    assert page.status_code == 200
    assert "password" in page.text


def test_what_waits_is_fetched_kept_and_receipted(told: list[str], reader: Reader) -> None:
    """The page's last words on the mailbox, once the lead has published the shared plan."""
    secrets = json.loads((reader.folder / "credentials.json").read_text())
    plan = (reader.folder / "fhir_profiles" / "examples" / "plan-1.json").read_bytes()
    lead, region = (_as(secrets[who], reader) for who in ("rus-havneby", "psyk-nordstrand"))
    assert lead.post("/documents/fhir", content=plan).status_code == 200

    def arrived() -> list[dict[str, Any]] | None:
        return json.loads(reader.does(fences(PAGE, "sh")[number_of("/mailbox")])) or None

    (message,) = until("the region's delivery", arrived)
    document = region.get(message["href"])
    assert document.headers["KI-Format"] == "behandlingsplan"
    assert region.post(f"{message['href']}/receipt", json={"outcome": "ok"}).status_code == 200
    assert region.get("/mailbox").json() == []
    listed = json.loads(
        reader.does(".venv/bin/ki-hub deliveries --receiver psyk-nordstrand --json")
    )
    assert [d["state"] for d in listed] == ["delivered"]
    lead.close()
    region.close()


def _as(secret: str, reader: Reader) -> httpx.Client:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/fhir+json"}
    return httpx.Client(base_url=reader.base, headers=headers, timeout=60)


def test_the_readmes_translation_works(reader: Reader) -> None:
    (command,) = [c for c in code_spans(ROOT / "README.md") if c.startswith("ki-hub translate")]
    sample = reader.folder / "mappings" / "behandlingsplan" / "samples" / "typical.xml"
    shutil.copyfile(sample, reader.folder / "plan.xml")
    assert reader.does(f".venv/bin/{command}") == ""
    assert (reader.folder / "plan.pdf").read_bytes().startswith(b"%PDF-")
