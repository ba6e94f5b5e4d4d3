"""A hub with something to look at: two citizens' plans, every kind of trouble, and its operator.

Everything is made through the services, from the published examples and samples, on a fresh
SQLite database; nothing is written to the store behind their back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.contract import Party, Receipt
from hub.fhir.decided import pointing_at
from hub.model.party import SYSTEM, Viewer
from hub.model.records import InboxItem
from hub.runtime.bootstrap import build
from hub.runtime.parties import operator_entries, party_entries
from hub.runtime.parties_file import read_parties
from hub.runtime.settings import Settings
from hub.services import acts, admin, mailbox, proposals, queries
from hub.services.accept import accept
from hub.services.hub import Hub
from hub.services.process import process
from hub.services.senders import deliver_due
from hub.services.settle import receipt_for
from hub.store.migrate import migrate
from tests.api.copies import changed, copy_for, goals, note_of
from tests.api.world import same_ids
from tests.unit.medcom.messages import reply_to

ROOT = Path(__file__).parents[2]
PARTIES = ROOT / "hub" / "demo" / "parties.yaml"
EXAMPLES = ROOT / "fhir_profiles" / "examples"
SAMPLES = ROOT / "mappings"
KARLA = "0201609996"
BO = "1507729995"
RUS, PSYK, SOCIAL, GP = "rus-havneby", "psyk-nordstrand", "social-havneby", "laege-havnegade"
PROPOSED = "Karla vælger selv, hvem der er <med>."
NOTED = "Karla kommer til samtaler hver anden uge og ringer, når hun er forhindret."
NOTED_BY_LEAD = "Karla kommer til de fleste samtaler på distriktspsykiatrien."
WRITTEN = "Jeg har set patienten i dag og har ændret medicinen."


@dataclass
class Seeded:
    """The hub, its credentials, and what was made."""

    hub: Hub
    secrets: dict[str, str]
    plans: dict[str, str] = field(default_factory=dict)
    """Citizen's CPR number to plan id."""
    proposal: str = ""
    """Of the psychiatry, to change a goal; open."""
    conflict: str = ""
    """Both the psychiatry and the lead have changed the psychiatry's note; open."""

    @property
    def operator(self) -> str:
        """The operator's credential."""
        return self.secrets["drift"]

    def party(self, party_id: str) -> Party:
        """A party of the demo."""
        with self.hub.store.reading() as work:
            found = work.parties.get(party_id)
        assert found is not None
        return found.party

    def send(
        self, party_id: str, format_: str, body: bytes, media_type: str = "application/fhir+json"
    ) -> InboxItem:
        """A document from a party, processed."""
        kept = accept(self.hub, self.party(party_id), format_, body, media_type)
        return process(self.hub, kept.item.id)

    def deliver(self, rounds: int = 3) -> None:
        """Let the worker deliver what is due."""
        for _ in range(rounds):
            if deliver_due(self.hub) == 0:
                return


def empty(folder: Path) -> Seeded:
    """A hub with the demo's parties and nothing else."""
    hub = _hub(folder)
    migrate(hub.store.database)
    same_ids(hub)
    file = read_parties(PARTIES)
    applied = admin.apply_parties(
        hub,
        party_entries(file, PARTIES.parent),
        operator_entries(file, PARTIES.parent),
        file.citizen_format,
        by="seed",
    )
    return Seeded(hub, dict(applied.secrets))


def again(seeded: Seeded, folder: Path) -> Seeded:
    """The same on a copy of its folder."""
    return replace(seeded, hub=_hub(folder))


def _hub(folder: Path) -> Hub:
    return build(Settings(data=folder, retry_attempts=2, retry_first_seconds=3600))


def seed(folder: Path) -> Seeded:
    """A hub in the middle of a busy day."""
    seeded = empty(folder)
    _first_citizen(seeded)
    _second_citizen(seeded)
    _exchange(seeded)
    _trouble(seeded)
    return seeded


def consent_of(name: str, given: datetime) -> dict[str, Any]:
    """An example consent, given at that time, for a year."""
    made = example(name)
    made["dateTime"] = given.isoformat(timespec="seconds")
    made["provision"]["period"] = {
        "start": given.date().isoformat(),
        "end": (given + timedelta(days=364)).date().isoformat(),
    }
    return made


def approval_of(name: str, plan: str, version: int) -> dict[str, Any]:
    """An example approval, of one plan version."""
    made = example(name)
    made["dateTime"] = datetime.now(UTC).isoformat(timespec="seconds")
    made["provision"] = pointing_at(f"CarePlan/{plan}/_history/{version}")
    return made


def example(name: str) -> dict[str, Any]:
    """A resource or bundle of the examples."""
    found: dict[str, Any] = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    return found


def sample(format_: str, name: str) -> bytes:
    """A sample document of a format."""
    return (SAMPLES / format_ / "samples" / name).read_bytes()


def as_json(resource: dict[str, Any]) -> bytes:
    """As it travels."""
    return json.dumps(resource, ensure_ascii=False).encode()


def _first_citizen(seeded: Seeded) -> None:
    """All went well: approved, delivered, forwarded; then the lead changed it."""
    given = datetime.now(UTC) - timedelta(days=7)
    seeded.send("rus-havneby", "fhir", as_json(consent_of("consent-1.json", given)))
    seeded.send("psyk-nordstrand", "behandlingsplan", sample("behandlingsplan", "typical.xml"),
                "application/xml")  # fmt: skip
    seeded.send("social-havneby", "vum", sample("vum", "order-full.json"))
    bundle = example("plan-1.json")
    made = seeded.send("rus-havneby", "fhir", as_json(bundle))
    assert made.plan_id is not None
    seeded.plans[KARLA] = made.plan_id
    seeded.deliver()
    _receipts(seeded, "koord-havneby", "psyk-nordstrand", "social-havneby")
    _forward(seeded, made.plan_id)
    assert made.plan_version is not None
    approved = approval_of("approval-1.json", made.plan_id, made.plan_version)
    seeded.send("rus-havneby", "fhir", as_json(approved))
    seeded.deliver()
    _receipts(seeded, "laege-havnegade", "koord-nordstrand")
    _citizen_has_it(seeded, made.plan_id, "rus-havneby")
    goal = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Goal")
    goal["description"]["text"] += " (tilføjet efter mødet)"
    seeded.send("rus-havneby", "fhir", as_json(bundle))
    seeded.deliver()


def _second_citizen(seeded: Seeded) -> None:
    """Nothing is approved yet; one unit is paused."""
    given = datetime.now(UTC) - timedelta(days=2)
    seeded.send("psyk-nordstrand", "fhir", as_json(consent_of("consent-2.json", given)))
    made = seeded.send("psyk-nordstrand", "fhir", as_json(example("plan-2.json")))
    seeded.send("psyk-nordstrand", "behandlingsplan", sample("behandlingsplan", "typical-2.xml"),
                "application/xml")  # fmt: skip
    assert made.plan_id is not None
    seeded.plans[BO] = made.plan_id
    admin.pause(
        seeded.hub, "koord-nordstrand", by="Drift Demo", reason="Flytter postkasse i eftermiddag"
    )
    seeded.deliver()


def _exchange(seeded: Seeded) -> None:
    """The GP writes; two units change the first plan; what goes out loses too much for one."""
    hub, plan = seeded.hub, seeded.plans[KARLA]
    (first,) = queries.deliveries(hub, SYSTEM, state="delivered", receiver=GP)
    with hub.store.reading() as work:
        had = work.deliveries.get(first.id, SYSTEM, body=True)
    assert had is not None
    assert had.body is not None
    reply = reply_to(json.loads(had.body), WRITTEN)
    seeded.send(GP, "medcom-carecommunication", as_json(reply))
    _receipts(seeded, SOCIAL)
    _accepts_no_dropped_loss(seeded, SOCIAL)
    mine, theirs = copy_for(hub, plan, RUS), copy_for(hub, plan, PSYK)

    def both(bundle: dict[str, Any]) -> None:
        goals(bundle)[0].update(description={"text": PROPOSED})
        note_of(bundle, "Psykiatrien").update(valueString=NOTED)

    seeded.send(PSYK, "fhir", as_json(changed(theirs, both)))
    by_lead = changed(mine, lambda b: note_of(b, "Psykiatrien").update(valueString=NOTED_BY_LEAD))
    seeded.send(RUS, "fhir", as_json(by_lead))
    found = {p.kind: p.id for p in proposals.proposals(hub, Viewer("party", RUS))}
    seeded.proposal, seeded.conflict = found["proposal"], found["conflict"]
    seeded.deliver()


def _accepts_no_dropped_loss(seeded: Seeded, party_id: str) -> None:
    with seeded.hub.store.reading() as work:
        known = work.parties.get(party_id)
    assert known is not None
    (had,) = known.subscriptions
    wanted = replace(known, subscriptions=(replace(had, unacceptable=("dropped",)),))
    admin.apply_parties(seeded.hub, [admin.PartyEntry(wanted)], [], "pdf", by="seed")


def _trouble(seeded: Seeded) -> None:
    """A refusal, a sealed document, a loose one, and a receiver that says no."""
    seeded.send("psyk-nordstrand", "behandlingsplan", b"<ikke-xml", "application/xml")
    seeded.send("social-havneby", "fhir", as_json({"resourceType": "Patient"}))
    stranger = json.dumps(example("plan-1.json")).replace(KARLA, "0101809995").encode()
    seeded.send("rus-havneby", "fhir", stranger)
    for delivery in queries.deliveries(seeded.hub, SYSTEM, receiver="rus-havneby"):
        if delivery.state.value == "sent":
            refused = Receipt(of=delivery.id, outcome="permanent")
            receipt_for(seeded.hub, seeded.party("rus-havneby"), refused)
            break
    for delivery in queries.deliveries(seeded.hub, SYSTEM, receiver=PSYK):
        if delivery.state.value == "sent":
            later = Receipt(of=delivery.id, outcome="transient")
            receipt_for(seeded.hub, seeded.party(PSYK), later)
            break


def _receipts(seeded: Seeded, *party_ids: str) -> None:
    for party_id in party_ids:
        party = seeded.party(party_id)
        for letter in mailbox.waiting(seeded.hub, party):
            mailbox.fetch(seeded.hub, party, letter.id)
            mailbox.receipt(seeded.hub, party, Receipt(of=letter.id, outcome="ok"))


def _forward(seeded: Seeded, plan: str) -> None:
    for task in queries.tasks(seeded.hub, Viewer("party", "koord-havneby")):
        if task.kind == "forward" and task.plan_id == plan and task.delivery_id:
            acts.forward(seeded.hub, seeded.party("koord-havneby"), task.delivery_id, "koordinator")


def _citizen_has_it(seeded: Seeded, plan: str, lead: str) -> None:
    for task in queries.tasks(seeded.hub, Viewer("party", lead)):
        if task.kind == "hand-over" and task.plan_id == plan and task.delivery_id:
            acts.hand_over(seeded.hub, seeded.party(lead), task.delivery_id, "kontaktperson")
