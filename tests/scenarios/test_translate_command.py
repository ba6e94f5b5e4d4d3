"""``ki-hub translate`` for every pair of formats, as a user runs it: file, standard input, pipe.

A pair either works, or needs the receiver's own document (a re-issue), or is refused: then
stderr holds exactly one OperationOutcome and nothing else is said or written.

A process for each source and each target; the other pairs run in this process. With
``KI_HUB_TEST_FULL`` in the environment, every run is a process of its own.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from hub.cli.main import run
from hub.fhir.codec import parse_json
from hub.fhir.xml import to_xml
from hub.runtime.registry import Registry
from tests.views import EXAMPLES, ROOT, errors_in

FULL = os.environ.get("KI_HUB_TEST_FULL") == "1"
COMMAND = Path(sys.executable).with_name("ki-hub")
NOW = "2026-10-20T08:00:00Z"
KARLA = "0201609996"
PRIVATE = (KARLA, "Karla", "Nygaard", "hash")
"""What no refusal and no loss may repeat."""

CARE, TREATMENT = "medcom-carecommunication", "behandlingsplan"
ACTION, AGREEMENT = "handleplan-141", "udskrivningsaftale"
XML = (TREATMENT, ACTION, AGREEMENT)
FORMATS = ("fhir", "vum", *XML, CARE, "pdf")
"""The others are those of the template: test_translate_template.py."""
TEMPLATE = ("ki-plan-xml", "ki-plan-questionnaire", "ki-notice", "html", "cpd")
SAMPLES = ROOT / "mappings"
FILES = {
    "fhir": EXAMPLES / "plan-1.json",
    "vum": SAMPLES / "vum" / "samples" / "order-full.json",
    **{f: SAMPLES / f / "samples" / "typical.xml" for f in XML},
    CARE: SAMPLES / CARE / "samples" / "rendered.json",
}
"""All about the same citizen. The PDF is printed by the command itself."""
OWNER = {
    "vum": "social-havneby",
    ACTION: "social-havneby",
    TREATMENT: "psyk-nordstrand",
    AGREEMENT: "psyk-nordstrand",
}
"""Formats that only their owner makes, and whose the sample is."""

PAIRS = list(product(FORMATS, FORMATS))
REISSUED = [(a, b) for a, b in PAIRS if b in OWNER and a not in {b, CARE, "pdf"}]
WORKS = [
    (a, b)
    for a, b in PAIRS
    if a not in {CARE, "pdf"}  # a message to a person, a printed page: no plan to read
    and (a, b) not in REISSUED
    and (b != CARE or a == "fhir")  # the GP's copy is of the shared plan alone
]
REFUSED = [p for p in PAIRS if p not in WORKS]


def _each_once(pairs: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """The fewest first pairs that have every source and every target of these."""
    seen: set[tuple[int, str]] = set()
    chosen = set()
    for pair in pairs:
        ends = set(enumerate(pair))
        if not ends <= seen:
            chosen.add(pair)
            seen |= ends
    return chosen


AS_A_USER = _each_once(WORKS)
"""These run as a process in the short form too."""
PIPED = "fhir"
"""Standard input is read before any format is asked, so one source for each target is enough."""


@dataclass(frozen=True)
class Ran:
    """One run of the command."""

    code: int
    out: bytes
    err: bytes


def ki_hub(*arguments: str | Path, stdin: bytes = b"") -> Ran:
    done = subprocess.run(
        [COMMAND, *arguments], input=stdin, capture_output=True, check=False, timeout=120
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def in_process(*arguments: str | Path, stdin: bytes = b"") -> Ran:
    """The command without a process of its own, which costs a second of start each time."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = run([str(a) for a in arguments])
    return Ran(code, out.buffer.getvalue(), err.buffer.getvalue())


def translate(
    source: str, target: str, *more: str | Path, stdin: bytes = b"", process: bool = False
) -> Ran:
    """One translation; ``process``: as a user runs it, also in the short form."""
    command = ki_hub if process or FULL else in_process
    return command(
        "translate", "--from", source, "--to", target, "--now", NOW, *more, stdin=stdin
    )  # fmt: skip


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A document of every format."""
    printed = tmp_path_factory.mktemp("printed") / "plan.pdf"
    made = translate("fhir", "pdf", FILES["fhir"])
    assert made.code == 0, made.err
    printed.write_bytes(made.out)
    return FILES | {"pdf": printed}


def losses_in(file: Path) -> list[dict[str, str]]:
    """The losses, each of the documented form and without a value."""
    text = file.read_text("utf-8")
    found: list[dict[str, str]] = json.loads(text)
    for loss in found:
        assert set(loss) == {"path", "kind", "reason"}
        assert loss["kind"] in {"dropped", "coarsened", "defaulted", "reordered"}
        assert loss["path"]
        assert loss["reason"]
    assert not [word for word in PRIVATE if word in text]
    return found


def refusal(ran: Ran) -> dict[str, Any]:
    """The one OperationOutcome of a refusal; whatever else was said is a failure."""
    assert (ran.code, ran.out) == (3, b""), ran
    found: dict[str, Any] = json.loads(ran.err)
    assert found["resourceType"] == "OperationOutcome"
    assert errors_in(found) == []
    assert {i["severity"] for i in found["issue"]} & {"error", "fatal"}
    assert all(len(i["details"]["text"]) > 10 for i in found["issue"])
    assert not [word for word in PRIVATE if word in ran.err.decode()]
    return found


def pdf_text(body: bytes, folder: Path) -> str:
    file = folder / "made.pdf"
    file.write_bytes(body)
    done = subprocess.run(["pdftotext", file, "-"], capture_output=True, check=True, timeout=60)
    return done.stdout.decode()


def right_kind(target: str, body: bytes, folder: Path) -> None:
    """Output of the target's own kind, about Karla, that its own readers take in again."""
    if target == "pdf":
        assert body.startswith(b"%PDF-")
        assert "Karla Testine Nygaard" in pdf_text(body, folder)
        return
    assert KARLA in body.decode()
    if target in XML:
        schema = ROOT / "adapters" / target.replace("-", "_") / f"{target}-1.0.xsd"
        etree.XMLSchema(etree.parse(schema)).assertValid(etree.fromstring(body))
    else:
        bundle = json.loads(body)
        assert (bundle["resourceType"], errors_in(bundle)) == ("Bundle", [])
        assert bundle["type"] == ("collection" if target == "fhir" else "message")
    if target == CARE:
        event = json.loads(body)["entry"][0]["resource"]["eventCoding"]["code"]
        assert event == "care-communication-message"
        return
    again = translate(target, "fhir", "-", stdin=body)
    assert (again.code, again.err) == (0, b"")


def test_every_format_is_tried() -> None:
    assert sorted((*FORMATS, *TEMPLATE)) == sorted(Registry().formats())
    assert (len(WORKS), len(REISSUED)) == (15, 16)


@pytest.mark.parametrize(("source", "target"), WORKS)
def test_a_pair_that_works(
    source: str, target: str, files: dict[str, Path], tmp_path: Path
) -> None:
    losses = tmp_path / "losses.json"
    process = (source, target) in AS_A_USER
    made = translate(source, target, files[source], "--losses", losses, process=process)
    assert (made.code, made.err) == (0, b"")
    right_kind(target, made.out, tmp_path)
    told = losses_in(losses)
    assert bool(told) == ((source, target) != ("fhir", "fhir")), "all others lose something"

    if source == PIPED:
        body = files[source].read_bytes()
        piped = translate(source, target, "-", "--losses", losses, stdin=body)
        assert piped == made, "from standard input as from a file"
        assert losses_in(losses) == told


@pytest.mark.parametrize(("source", "target"), REFUSED)
def test_a_pair_that_cannot_be(
    source: str, target: str, files: dict[str, Path], tmp_path: Path
) -> None:
    losses = tmp_path / "losses.json"
    told = refusal(translate(source, target, files[source], "--losses", losses))
    assert not losses.exists(), "nothing was translated, so nothing was lost"
    if source == PIPED:
        assert refusal(translate(source, target, stdin=files[source].read_bytes())) == told
    assert {i["code"] for i in told["issue"] if i["severity"] == "error"} == {"not-supported"}


@pytest.mark.parametrize(("source", "target"), REISSUED)
def test_a_re_issue_is_made_from_the_receivers_own_document(
    source: str, target: str, files: dict[str, Path], tmp_path: Path
) -> None:
    losses = tmp_path / "losses.json"
    more = ("--own", files[target], "--losses", losses)
    without = refusal(translate(source, target, files[source]))
    assert any("--own" in i["details"]["text"] for i in without["issue"])

    made = translate(source, target, *more, files[source])
    assert (made.code, made.err) == (0, b"")
    right_kind(target, made.out, tmp_path)
    assert losses_in(losses)
    if source == PIPED:
        named = translate(source, target, *more, "--receiver", OWNER[target], files[source])
        assert named == made, "the own document says who receives"
        piped = translate(source, target, *more, "-", stdin=files[source].read_bytes())
        assert piped == made


@pytest.mark.parametrize("target", OWNER)
def test_an_own_document_that_is_none_is_refused(target: str, files: dict[str, Path]) -> None:
    for damaged in (files["fhir"], files["pdf"]):
        refusal(translate("fhir", target, "--own", damaged, files["fhir"]))
        more = ("--own", damaged, "--receiver", OWNER[target])
        refusal(translate("fhir", target, *more, files["fhir"]))


@pytest.mark.parametrize("target", OWNER)
def test_another_citizens_own_document_is_refused(target: str, files: dict[str, Path]) -> None:
    """Two citizens are never mixed in one document."""
    other = EXAMPLES / "plan-2.json"
    refusal(translate("fhir", target, "--own", files[target], other))


def test_what_is_not_marked_for_coordination_stays_with_its_owner(
    files: dict[str, Path], tmp_path: Path
) -> None:
    losses = tmp_path / "losses.json"
    more = ("--receiver", "rus-havneby", "--losses", losses)
    mine = translate(TREATMENT, "fhir", files[TREATMENT])
    theirs = translate(TREATMENT, "fhir", *more, files[TREATMENT])
    assert (mine.code, theirs.code) == (0, 0)
    kept = [len(json.loads(x.out)["entry"][0]["resource"]["activity"]) for x in (mine, theirs)]
    assert kept[1] < kept[0]
    withheld = [x for x in losses_in(losses) if "not marked it for coordination" in x["reason"]]
    assert len([x for x in withheld if "#activity." in x["path"]]) == kept[0] - kept[1]


@pytest.mark.parametrize("name", ["reply", "ack-ok"])
def test_a_message_that_is_no_plan_is_refused(name: str) -> None:
    refusal(translate(CARE, "fhir", SAMPLES / CARE / "samples" / f"{name}.json"))


# A koordinationsplan is rendered as itself only


ALONE = SAMPLES / AGREEMENT / "samples" / "koordinationsplan.xml"


@pytest.mark.parametrize("target", [AGREEMENT, "fhir"])
def test_a_coordination_plan_is_its_owner_s_own(target: str, tmp_path: Path) -> None:
    losses = tmp_path / "losses.json"
    made = translate(AGREEMENT, target, "--losses", losses, ALONE)
    assert (made.code, made.err) == (0, b"")
    right_kind(target, made.out, tmp_path)
    told = losses_in(losses)
    assert told
    assert {x["kind"] for x in told} == {"dropped"}
    if target == "fhir":
        bundle = json.loads(made.out)
        plans = [e["resource"] for e in bundle["entry"] if "CarePlan/" in e["fullUrl"]]
        assert [p["category"][0]["coding"][0]["code"] for p in plans] == ["koordinationsplan"]


@pytest.mark.parametrize("target", sorted(set(FORMATS) - {AGREEMENT, "fhir"}))
def test_a_coordination_plan_becomes_no_other_document(target: str, files: dict[str, Path]) -> None:
    own = ("--own", files[target]) if target in OWNER else ()
    told = refusal(translate(AGREEMENT, target, *own, ALONE))
    assert {i["code"] for i in told["issue"] if i["severity"] == "error"} == {"not-supported"}


@pytest.mark.parametrize("target", [AGREEMENT, "fhir"])
def test_a_coordination_plan_goes_to_nobody_else(target: str) -> None:
    for receiver in ("social-havneby", "rus-havneby"):
        refusal(translate(AGREEMENT, target, "--receiver", receiver, ALONE))


@pytest.mark.parametrize("source", ["fhir", "vum"])
def test_fhir_in_xml_is_read_as_in_json(
    source: str, files: dict[str, Path], tmp_path: Path
) -> None:
    as_xml = tmp_path / "document.xml"
    as_xml.write_bytes(b"\xef\xbb\xbf" + to_xml(parse_json(files[source].read_bytes())))
    read, written = (translate(source, "fhir", f) for f in (as_xml, files[source]))
    assert read.code == written.code == 0
    # The document itself is enclosed as it came.
    one, other = (
        [
            e
            for e in json.loads(r.out)["entry"]
            if e["resource"]["resourceType"] != "DocumentReference"
        ]
        for r in (read, written)
    )
    assert one == other
