"""What is validated: examples, the profiles themselves, samples, and all that a scenario emits."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx

from hub.contract import Notice
from hub.demo.play import play, world
from hub.errors import CannotRender
from hub.runtime.published import FOLDER, ROOT, published
from tests.contract.adapter_samples import REGISTRY
from tests.contract.adapter_samples import context as context_of
from tests.scenarios.deployment import Deployment
from tests.views import PLAN_1, PLAN_2, parties, view_of

FHIR_JSON: Final = "application/fhir+json"
FHIR_XML: Final = "application/fhir+xml"
_LEAD: Final = "rus-havneby"
_OWNERS: Final = ("psyk-nordstrand", "social-havneby")


@dataclass(frozen=True)
class Document:
    """One FHIR document with where it came from."""

    origin: str
    """``profiles``, ``examples``, ``samples``, ``rendered``, ``delivered``, ``received``,
    ``answers``, ``stored`` or ``REST``."""
    name: str
    body: bytes
    media_type: str = FHIR_JSON


def on_disk() -> Iterator[Document]:
    """The published profiles, the examples, and the FHIR samples of every format."""
    for name in published().resources:
        yield Document("profiles", name, (FOLDER / name).read_bytes())
    for path in sorted((FOLDER / "concept-maps").glob("*.json")):
        yield Document("profiles", path.name, path.read_bytes())
    for path in sorted((FOLDER / "examples").glob("*.json")):
        yield Document("examples", path.name, path.read_bytes())
    for path in sorted((ROOT / "mappings").glob("*/samples/*.json")):
        yield Document("samples", f"{path.parts[-3]}/{path.name}", path.read_bytes())


def rendered() -> Iterator[Document]:
    """The example plans and a notice in every format that is FHIR, also those no scenario sends."""
    known = parties()
    context = context_of(known["rus-havneby"], printer=REGISTRY.printer())
    notice = Notice(str(UUID(int=4)), "consent-withdrawn", "Samtykket er trukket tilbage")
    for format in REGISTRY.formats():
        for name, content in (("1", view_of(PLAN_1)), ("2", view_of(PLAN_2)), ("notice", notice)):
            try:
                made = REGISTRY.adapter(format).render(content, known["laege-havnegade"], context)
            except CannotRender:
                continue
            if "fhir" in made.media_type:
                yield Document("rendered", f"{format}-{name}", made.body, made.media_type)


def emitted(folder: Path) -> Iterator[Document]:
    """The demo's scenario, played on an embedded hub in ``folder``: every FHIR byte of it."""
    deployment = Deployment(folder, ("all",), {})
    credentials = deployment.prepare()
    with deployment:
        deployment.start()
        everyone = world(deployment.base, credentials)
        played = play(everyone)
        everyone.close()
        if played.failed is not None:
            raise AssertionError(f"the scenario did not happen: {played.failed}")
        plans = [str(plan["plan"]) for plan in played.report["plans"]]
        yield from _answers(deployment.base, credentials, plans)
        deployment.stop()
    yield from _kept(folder / "data" / "ki-hub.db")


_KEPT: Final = (
    ("delivered", "SELECT format, media_type, body FROM delivery WHERE body IS NOT NULL"),
    ("received", "SELECT format, media_type, body FROM inbox WHERE body IS NOT NULL"),
    ("answers", f"SELECT format, '{FHIR_JSON}', answer FROM inbox WHERE answer IS NOT NULL"),
)
_NEWEST: Final = """
SELECT type, id, body FROM resource r WHERE version =
    (SELECT max(version) FROM resource n WHERE n.type = r.type AND n.id = r.id)
"""


def _kept(database: Path) -> Iterator[Document]:
    """What was sent, received, answered and stored, as the bytes that it was."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        for origin, query in _KEPT:
            for number, (name, media_type, body) in enumerate(connection.execute(query), 1):
                if "fhir" in media_type:
                    data = body if isinstance(body, bytes) else str(body).encode()
                    yield Document(origin, f"{name}-{number}", data, media_type)
        yield _stored(connection.execute(_NEWEST).fetchall())
    finally:
        connection.close()


def _stored(rows: list[tuple[str, str, str]]) -> Document:
    """The newest version of everything, in one Bundle: references are followed as well."""
    entries = [
        {"fullUrl": f"http://127.0.0.1/fhir/{kind}/{id}", "resource": json.loads(body)}
        for kind, id, body in rows
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return Document("stored", "everything", json.dumps(bundle).encode())


def _answers(base: str, credentials: dict[str, str], plans: list[str]) -> Iterator[Document]:
    """The hub's own REST answers: statement, reads, searches, histories, documents, refusals."""
    first, second = plans
    asked = [
        *((_LEAD, path, FHIR_JSON) for path in _paths(first, second)),
        *((_LEAD, path, FHIR_XML) for path in _shown_as_xml(first)),
        *((party, kind, FHIR_JSON) for party in _OWNERS for kind in _TYPES[:5]),
    ]
    for party, path, media_type in asked:
        head = {"Authorization": f"Bearer {credentials[party]}", "Accept": media_type}
        answer = httpx.get(f"{base}/fhir/{path}", headers=head, timeout=60)
        assert answer.headers["content-type"].startswith(media_type), (path, answer.text)
        subset = "_summary" in path or "_elements" in path
        body = _without_claims(answer.content) if subset else answer.content
        shown = path.replace(first, "PLAN").replace(second, "PLAN2")
        kind = media_type.rpartition("+")[2]
        yield Document("REST", f"{party} {shown} {answer.status_code} {kind}", body, media_type)


_TYPES: Final = (
    "CarePlan", "Condition", "Goal", "Observation", "Organization", "CareTeam", "Appointment",
    "Patient", "PractitionerRole", "RelatedPerson", "Consent",
)  # fmt: skip


def _paths(first: str, second: str) -> list[str]:
    plan = f"CarePlan/{first}"
    return [
        "metadata",
        *_TYPES,
        *(f"{kind}?_summary=true" for kind in _TYPES[:4]),
        "CarePlan?_elements=status,subject&_include=CarePlan:subject",
        "CarePlan?_summary=count",
        *(f"{kind}/_history" for kind in _TYPES[:4]),
        plan,
        f"{plan}/_history",
        f"{plan}/_history/1",
        f"{plan}/$everything",
        f"{plan}/$document",
        f"CarePlan/{second}",
        "CarePlan/unknown",
        "CarePlan?no-such-parameter=1",
        "Nonsense",
    ]


def _shown_as_xml(plan: str) -> list[str]:
    return ["metadata", "CarePlan", f"CarePlan/{plan}/$everything", f"CarePlan/{plan}/$document",
            "CarePlan/unknown"]  # fmt: skip


def _without_claims(body: bytes) -> bytes:
    """A subset cannot keep the profile that the whole keeps; what is left is held to R4 alone."""

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("meta"), dict):
                value["meta"].pop("profile", None)
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    read = json.loads(body)
    walk(read)
    return json.dumps(read).encode()


def declared(document: Document) -> set[str]:
    """The profiles that a document says it keeps, without versions; of JSON only."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            meta = value.get("meta")
            if isinstance(meta, dict):
                found.update(str(url).partition("|")[0] for url in meta.get("profile", ()))
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    if document.media_type.startswith(FHIR_JSON):
        walk(json.loads(document.body))
    return found


def bundle_type(document: Document) -> str:
    """``history``, ``message``, …; empty for what is no Bundle. Of JSON only."""
    if not document.media_type.startswith(FHIR_JSON):
        return ""
    read = json.loads(document.body)
    return str(read.get("type", "")) if read["resourceType"] == "Bundle" else ""
