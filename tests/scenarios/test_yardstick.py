"""The yardstick: two filled plans go through the real hub, and nothing of them is lost.

The shapes are those of the two filled plans in the evaluation's annex 4 (KORA 2017: bulleted
challenges, one intervention for goals 2 and 3, "telefon?", next meeting at an event, a convener
who changes, a conditional approval, a postscript); people and words are fictitious
(``fhir_profiles/examples``). What comes back as FHIR must be equal in everything, what is printed
must hold every word, and each oddity is also asked for by name, so that the examples keep them.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.fhir import names
from hub.fhir.decided import pointing_at
from hub.fhir.reading import PlanReader
from hub.model.party import SYSTEM
from hub.runtime.bootstrap import close
from hub.runtime.parties import operator_entries, party_entries
from hub.runtime.parties_file import parse_parties
from hub.services.admin import apply_parties
from tests.api.world import GP, KOORD_OTHER, KOORD_OWN, PSYK, RUS, World, founded
from tests.scenarios.plan_comparison import Comparison, resources_of
from tests.views import EXAMPLES, ROOT

COMMAND = Path(sys.executable).with_name("ki-hub")


@dataclass(frozen=True)
class Case:
    """One filled plan and who is who in it."""

    number: int
    lead: str
    coordinator: str
    """The lead's own, who gets the PDF at once."""
    now: datetime
    said: str
    """How the citizen's answer is printed."""

    def example(self, kind: str) -> bytes:
        """``plan``, ``consent`` or ``approval``."""
        return (EXAMPLES / f"{kind}-{self.number}.json").read_bytes()

    def consent(self) -> bytes:
        """The example, and that relatives may be named: without it their names stay behind."""
        made = json.loads(self.example("consent"))
        made["category"].append(names.concept(names.CONSENT_PURPOSE, "relatives"))
        return json.dumps(made).encode()


CASES = (
    Case(1, RUS, KOORD_OWN, datetime(2026, 9, 20, 10, 0, tzinfo=UTC), "ja, skriftligt"),
    Case(2, PSYK, KOORD_OTHER, datetime(2026, 10, 9, 9, 0, tzinfo=UTC), "ja, mundtligt"),
)


@dataclass
class Story:
    """The plan published, decided on and delivered."""

    case: Case
    world: World
    plan: str = ""
    received: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Receiver to format and bytes."""

    @property
    def source(self) -> bytes:
        return self.case.example("plan")

    def publish(self) -> None:
        answer = self.world.post("/documents/fhir", self.case.lead, self.source)
        assert answer.status_code == 200, answer.text
        self.plan = answer.headers["Location"].split("/")[3]

    def approve(self, **changes: Any) -> None:
        resource = json.loads(self.case.example("approval")) | {"id": "godkendelse", **changes}
        resource["provision"] = pointing_at(f"CarePlan/{self.plan}/_history/1")
        body = json.dumps(resource).encode()
        answer = self.world.post("/fhir/Consent", self.case.lead, body)
        assert answer.status_code in {200, 201}, answer.text

    def collect(self) -> None:
        """The worker, then every mailbox."""
        self.world.work()
        for who in (self.case.lead, self.case.coordinator, GP):
            for delivery in self.world.letters(who):
                found = self.world.get(f"/mailbox/{delivery}", who)
                self.received[who] = (found.headers["KI-Format"], found.content)

    def citizens_copy(self) -> bytes:
        """What is printed for the citizen and handed over by a person."""
        with self.world.hub.store.reading() as work:
            found = work.deliveries.get(self.state("citizen")["delivery"], SYSTEM, body=True)
        assert found is not None
        assert found.body is not None
        return found.body

    def state(self, receiver: str) -> dict[str, Any]:
        """The receiver's newest delivery."""
        found = [d for d in self.world.deliveries() if d["receiver"] == receiver]
        assert found
        return found[0]


def all_by_fhir(world: World) -> None:
    """The leads of both plans use a system that speaks the canonical format."""
    file = ROOT / "hub" / "demo" / "parties.yaml"
    text, changed = re.subn(
        r"(id: psyk-nordstrand\n(?:    .*\n)*?      - \{ content: plan, format: )\S+,",
        r"\g<1>fhir,",
        file.read_text("utf-8"),
    )
    assert changed == 1
    read = parse_parties(text)
    apply_parties(
        world.hub,
        party_entries(read, file.parent),
        operator_entries(read, file.parent),
        read.citizen_format,
        by="test",
    )


def begun(case: Case, folder: Path) -> Story:
    """An empty hub with the parties, on the day after the meeting."""
    world = founded(folder)
    world.clock.now = case.now
    all_by_fhir(world)
    return Story(case, world)


@pytest.fixture(scope="module", params=CASES, ids=lambda c: f"plan-{c.number}")
def story(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """Consent, plan, approval, every due delivery."""
    made = begun(request.param, tmp_path_factory.mktemp("yardstick"))
    consent = made.world.post("/fhir/Consent", made.case.lead, made.case.consent())
    assert consent.status_code == 201
    made.publish()
    made.approve()
    made.collect()
    yield made
    close(made.world.hub)


def came_back(story: Story) -> Comparison:
    format_, body = story.received[story.case.lead]
    assert format_ == "fhir"
    return Comparison(resources_of(story.source), resources_of(body))


# What the lead receives back


def test_the_lead_receives_back_everything_and_nothing_else(story: Story) -> None:
    compared = came_back(story)
    assert compared.differences == []
    assert compared.added == set()
    assert len(compared.pairs) == len(json.loads(story.source)["entry"])


def test_the_one_reader_of_plans_reads_the_same(story: Story) -> None:
    compared = came_back(story)
    assert compared.words(compared.received) == compared.words(compared.source)


def test_nothing_was_reported_lost_to_the_lead(story: Story) -> None:
    losses = story.world.get(f"/operations/losses?plan={story.plan}", "drift").json()
    to_lead = story.state(story.case.lead)["delivery"]
    assert [x for x in losses if x["delivery"] in {None, to_lead}] == []


def test_reading_over_fhir_says_the_same(story: Story) -> None:
    read = story.world.get(f"/fhir/CarePlan/{story.plan}", story.case.lead).json()
    sent = came_back(story).received[f"CarePlan/{story.plan}"]
    stamped = {"identifier", "meta"}
    assert {k: v for k, v in read.items() if k not in stamped} == {
        k: v for k, v in sent.items() if k not in stamped
    }


def test_what_came_back_can_be_published_again_without_a_new_version(story: Story) -> None:
    _, body = story.received[story.case.lead]
    again = story.world.post("/documents/fhir", story.case.lead, body)
    assert again.status_code == 200
    assert "Nothing new" in again.json()["issue"][0]["details"]["text"]


def test_translating_to_the_same_format_keeps_everything(story: Story, tmp_path: Path) -> None:
    losses = tmp_path / "losses.json"
    file = EXAMPLES / f"plan-{story.case.number}.json"
    made = subprocess.run(
        [COMMAND, "translate", "--from", "fhir", "--to", "fhir", "--losses", losses, file],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    compared = Comparison(resources_of(story.source), resources_of(made.stdout))
    assert compared.differences == []
    assert compared.added == {"DocumentReference"}, "the sender's own document, for its owner"
    assert compared.words(compared.received) == compared.words(compared.source)
    assert json.loads(losses.read_text()) == []


# What the PDF prints


def printed(body: bytes, folder: Path) -> str:
    """The text of a PDF without spaces, line breaks and hyphens: those are the page's own."""
    file = folder / "plan.pdf"
    file.write_bytes(body)
    # -raw: in the document's own order, so that a field's value follows its name.
    command: list[str | Path] = ["pdftotext", "-raw", file, "-"]
    found = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return squeezed(found.stdout.decode())


def squeezed(text: str) -> str:
    return re.sub(r"[\s\u00ad\u2010-]", "", text)


def written(value: Any) -> Iterator[str]:
    """Every text that a person wrote, below; codes, ids and ISO dates are printed as words."""
    if isinstance(value, dict):
        coded = {"sections", "path", "reference", "organization", "roles", "status", "phone",
                 "start", "end", "date", "earliest", "latest", "cpr"}  # fmt: skip
        for key, item in value.items():
            if key not in coded:
                yield from written(item)
    elif isinstance(value, list):
        for item in value:
            yield from written(item)
    elif isinstance(value, str) and value:
        yield value


@pytest.mark.parametrize("receiver", ["coordinator", "citizen"])
def test_the_pdf_holds_every_word(story: Story, receiver: str, tmp_path: Path) -> None:
    compared = came_back(story)
    words = compared.words(compared.source)
    people = words["contacts"]
    if receiver == "citizen":
        body = story.citizens_copy()
        # The citizen's own address and telephone number are not told to the citizen.
        people = [c for c in people if not c["reference"].startswith("Patient/")]
    else:
        format_, body = story.received[story.case.coordinator]
        assert format_ == "pdf"
    page = printed(body, tmp_path)
    missing = [x for x in written(words) if squeezed(x) not in page]
    numbers = [words["cpr"], *(c["phone"] or "" for c in people)]
    missing += [x for x in numbers if squeezed(x.removeprefix("+45")) not in page]
    assert len(list(written(words))) > 50
    assert missing == []


def test_the_pdf_keeps_the_order(story: Story, tmp_path: Path) -> None:
    page = printed(story.received[story.case.coordinator][1], tmp_path)
    reader = PlanReader(resources_of(story.source))
    for texts in (
        [c.text for c in reader.challenges()],
        [g.text for g in reader.goals()],
        [i.text for i in reader.interventions()],
        [n.text for n in reader.status_notes()],
    ):
        places = [page.rindex(squeezed(t)) for t in texts]
        assert places == sorted(places)


@pytest.mark.parametrize("receiver", ["coordinator", "citizen"])
def test_the_pdf_says_what_the_citizen_answered(
    story: Story, receiver: str, tmp_path: Path
) -> None:
    """The conditional approval is printed as it was given, with what it holds back."""
    mine = receiver == "citizen"
    body = story.citizens_copy() if mine else story.received[story.case.coordinator][1]
    page = printed(body, tmp_path)
    assert squeezed(story.case.said) in page
    approval = json.loads(story.case.example("approval"))
    conditions = [e for e in approval["extension"] if e["url"].endswith("condition")]
    assert page.lower().count("betingelse") == len(conditions)
    for condition in conditions:
        text = next(e["valueString"] for e in condition["extension"] if e["url"] == "text")
        assert squeezed(f"{text} (egen læge; ikke opfyldt)") in page


# The oddities, by name


def contact(reader: PlanReader, title: str) -> Any:
    (found,) = [c for c in reader.contacts() if title in (c.name, c.title)]
    return found


ODDITIES: dict[int, dict[str, tuple[Callable[[Any], Any], Any]]] = {
    1: {
        "bulleted challenges, in order": (
            lambda r: [(c.rank, c.label) for c in r.challenges()],
            [(1, "Misbrug"), (2, "Svingende psykisk tilstand"), (3, "Netværket")],
        ),
        "an unknown phone as written": (
            lambda r: contact(r, "Konsulent fra Jobcenteret").phone,
            "telefon?",
        ),
        "an interval as next meeting": (
            lambda r: (r.next_meeting().time, r.next_meeting().earliest, r.next_meeting().latest),
            ("slut november – start december", "2026-11-23", "2026-12-07"),
        ),
        "times as written": (
            lambda r: [i.time for i in r.interventions()],
            ["over de næste 2 samtaler", "fremover", "På sigt"],
        ),
        "and the period beside the words": (
            lambda r: (r.interventions()[0].start, r.interventions()[0].end),
            ("2026-09-15", "2026-10-13"),
        ),
        "status notes by everyone, relatives and housing too": (
            lambda r: [n.actor for n in r.status_notes()],
            ["Rusmiddelcentret", "Borger", "Pårørende/Familien", "Botilbuddet", "Psykiatrien"],
        ),
        "a bare yes": (lambda r: r.consent_as_written, "JA"),
        "an intervention for goals 3 and 2, in that order": (
            lambda r: r.interventions()[2].goals,
            (3, 2),
        ),
        "absence with and without a reason": (
            lambda r: [reason for _, reason in r.meeting().declined],
            ["sygdom", ""],
        ),
        "no hour known": (lambda r: (r.meeting().date, r.meeting().start), ("2026-09-08", "")),
    },
    2: {
        "challenges without labels, in order": (
            lambda r: [(c.rank, c.label) for c in r.challenges()],
            [(1, ""), (2, ""), (3, "")],
        ),
        "one intervention for goals 2 and 3": (lambda r: r.interventions()[1].goals, (2, 3)),
        "an empty phone": (
            lambda r: r.patient["telecom"][0]["_value"]["extension"][0]["valueCode"],
            "unknown",
        ),
        "an event as next meeting": (
            lambda r: (r.next_meeting().time.endswith("eller senest ved udskrivelse"),
                       r.next_meeting().earliest, r.next_meeting().latest),
            (True, None, None),
        ),
        "a convener who changes at discharge": (
            lambda r: [(c.since, c.until) for c in r.next_meeting().conveners],
            [("", "udskrivelse"), ("udskrivelse", "")],
        ),
        "if possible, in the text": (
            lambda r: r.interventions()[1].text.startswith("Hvis muligt "),
            True,
        ),
        "a time that waits for the approval": (
            lambda r: r.interventions()[2].time,
            "når planen er godkendt",
        ),
        "a bare yes": (lambda r: r.consent_as_written, "Ja"),
        "a postscript with author and time": (
            lambda r: [(p.author, p.date) for p in r.postscripts()],
            [("Projektsygeplejerske, referent", "2026-10-08T11:00:00+02:00")],
        ),
        "who took the minutes": (lambda r: r.meeting().minutes, ("Projektsygeplejerske/referent",)),
    },
}  # fmt: skip


def test_every_oddity_comes_back(story: Story) -> None:
    reader = PlanReader(came_back(story).received)
    found = {what: ask(reader) for what, (ask, _) in ODDITIES[story.case.number].items()}
    assert found == {what: wanted for what, (_, wanted) in ODDITIES[story.case.number].items()}


PRINTED_ODDITIES = {
    1: ("telefon? (mangler)", "over de næste 2 samtaler", "15. september 2026 – 13. oktober 2026",
        "På sigt", "Ad 3. og 2.", "Pårørende/Familien", "Botilbuddet",
        "slut november – start december", "tidligst 23. november 2026, senest 7. december 2026",
        "Samtykke til at udarbejde planen JA", "(sygdom)"),
    2: ("Tlf.nr. mangler", "Ad 2. og 3.", "eller senest ved udskrivelse", "(indtil udskrivelse)",
        "(fra udskrivelse)", "Hvis muligt", "når planen er godkendt", "Efterskrift",
        "Projektsygeplejerske, referent, 8. oktober 2026"),
}  # fmt: skip


def test_every_oddity_is_printed(story: Story, tmp_path: Path) -> None:
    page = printed(story.received[story.case.coordinator][1], tmp_path)
    found = [x for x in PRINTED_ODDITIES[story.case.number] if squeezed(x) not in page]
    assert found == []


# What permits nothing, and what holds back


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"plan-{c.number}")
def test_the_bare_yes_permits_nothing(case: Case, tmp_path: Path) -> None:
    """Without a KiConsent the plan is not even taken; with one to make it, nobody gets it."""
    story = begun(case, tmp_path / "none")
    refused = story.world.post("/documents/fhir", case.lead, story.source)
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (403, "suppressed")
    assert story.world.deliveries() == []

    only = json.loads(case.example("consent"))
    only["category"] = [names.concept(names.CONSENT_PURPOSE, "make-plan")]
    answer = story.world.post("/fhir/Consent", case.lead, json.dumps(only).encode())
    assert answer.status_code == 201
    taken = story.world.post("/documents/fhir", case.lead, story.source, message_id="igen")
    assert taken.status_code == 200
    story.world.work()
    assert set(story.world.states()) == {"citizen"}
    close(story.world.hub)


def test_a_conditional_approval_is_kept_as_given_and_holds_until_it_is_met(tmp_path: Path) -> None:
    case = CASES[1]
    story = begun(case, tmp_path / "hub")
    story.world.post("/fhir/Consent", case.lead, case.example("consent"))
    story.publish()
    story.approve()
    story.collect()
    held = story.state(GP)
    assert (held["state"], "condition" in held["reason"]) == ("blocked", True)
    assert GP not in story.received
    assert (
        registered(tmp_path / "hub")["extension"]
        == json.loads(case.example("approval"))["extension"]
    )

    story.world.clock.advance(days=3)
    met = json.loads(case.example("approval"))["extension"]
    met[-1]["extension"] += [
        {"url": "met", "valueDateTime": "2026-10-12T09:00:00+02:00"},
        {"url": "met-by", "valueString": "Projektsygeplejerske"},
    ]
    story.approve(extension=met)
    story.collect()
    assert story.state(GP)["state"] == "sent"
    assert story.received[GP][0] == "medcom-carecommunication"
    assert registered(tmp_path / "hub")["extension"] == met
    close(story.world.hub)


def registered(folder: Path) -> dict[str, Any]:
    """The one approval in the hub's database."""
    database = sqlite3.connect(folder / "ki-hub.db")
    try:
        ((body,),) = database.execute("SELECT body FROM approval")
    finally:
        database.close()
    found: dict[str, Any] = json.loads(body)
    return found
