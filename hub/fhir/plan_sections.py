"""The plan's narrative: the paper template's sections A to J, in Danish.

What stands here is what stands in the resources, read by :class:`hub.fhir.reading.PlanReader`
like every other rendering. The citizen's decision is not part of a plan version (it is a record
of its own), so the same version always reads the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from hub.contract import Resource
from hub.fhir.danish import ANCHORINGS, ROLES, SECTIONS, STATUSES, said
from hub.fhir.extract import extension_value, extensions, full_name
from hub.fhir.names import ANCHORING, LEVEL, PROPOSAL
from hub.fhir.reading import PlanReader
from hub.fhir.words import Challenge, Contact, Intervention, Objective
from hub.fhir.xhtml import Story

Telling = Callable[[PlanReader, Story], None]


def _citizen(plan: PlanReader, story: Story) -> None:
    patient = plan.patient
    story.facts(
        (
            ("Navn", full_name(patient)),
            ("Adresse", "; ".join(_address(a) for a in patient.get("address", ()))),
            ("Telefon", _telecom(patient, "phone")),
            ("E-mail", _telecom(patient, "email")),
            ("Cpr-nummer", plan.cpr),
            ("Samtykke til planen, som skrevet", plan.consent_as_written),
        )
    )


def _contacts(plan: PlanReader, story: Story) -> None:
    head = ("Rolle", "Navn", "Titel", "Enhed", "Telefon", "E-mail")
    story.table(head, [_contact(c) for c in plan.contacts()])


def _contact(found: Contact) -> tuple[str, ...]:
    roles = said(found.roles, ROLES)
    return (roles, found.name, found.title, found.unit, found.phone or "", found.email or "")


def _meeting(plan: PlanReader, story: Story) -> None:
    meeting = plan.meeting()
    if meeting is None:
        return
    away = [f"{who} ({why})" if why else who for who, why in meeting.declined]
    story.facts(
        (
            ("Dato", meeting.date),
            ("Til stede", ", ".join(meeting.present)),
            ("Afbud", ", ".join(away) or "ingen"),
            ("Mødeleder", ", ".join(meeting.chair)),
            ("Referent", ", ".join(meeting.minutes)),
        )
    )


def _status(plan: PlanReader, story: Story) -> None:
    rows = [(n.actor, n.text, said(n.sections, SECTIONS)) for n in plan.status_notes()]
    story.table(("Hvem", "Status", "Område"), rows)


def _challenges(plan: PlanReader, story: Story) -> None:
    _challenge_table(plan.challenges(), story)


def _goals(plan: PlanReader, story: Story) -> None:
    _goal_table(plan.goals(), story)


def _interventions(plan: PlanReader, story: Story) -> None:
    _intervention_table(plan.interventions(), story)


def _next(plan: PlanReader, story: Story) -> None:
    meeting = plan.next_meeting()
    if meeting is not None:
        conveners = [
            f"{c.who} ({' – '.join(x for x in (c.since, c.until) if x)})"
            if c.since or c.until
            else c.who
            for c in meeting.conveners
        ]
        story.facts(
            (
                ("Næste møde", meeting.time),
                ("Tidligst", meeting.earliest or ""),
                ("Senest", meeting.latest or ""),
                ("Sted", meeting.place),
                ("Indkaldes af", ", ".join(conveners)),
            )
        )
    story.paragraph("Borgerens godkendelse registreres for sig og gælder denne fælles del.")
    postscripts = plan.postscripts()
    if postscripts:
        story.heading("Efterskrift")
        story.table(("Dato", "Hvem", "Tekst"), [(p.date, p.author, p.text) for p in postscripts])


def _registration(plan: PlanReader, story: Story) -> None:
    proposal = next(iter(extensions(plan.plan, PROPOSAL)), {})
    level = extension_value(plan.plan, LEVEL)
    period = plan.plan.get("period", {})
    cases = [str(i.get("value", "")) for i in plan.plan.get("identifier", ())]
    anchoring = extension_value(plan.plan, ANCHORING)
    story.facts(
        (
            ("Niveau", "" if level is None else str(level)),
            ("Forankring", said([str(anchoring)] if anchoring else (), ANCHORINGS)),
            ("Indstillet", str(extension_value(proposal, "date") or "")),
            ("Indstillet af", str(extension_value(proposal, "by") or "")),
            ("Skrevet", str(plan.plan.get("created", ""))),
            ("Gælder fra", str(period.get("start", ""))),
            ("Gælder til", str(period.get("end", ""))),
            ("Sagsnummer", ", ".join(cases)),
        )
    )


def _sector_plans(plan: PlanReader, story: Story) -> None:
    for found in plan.sector_plans():
        resource = plan.at(found.reference)
        story.heading(f"{found.kind} – {found.owner}")
        story.facts(
            (
                ("Formål", found.purpose),
                ("Fra", found.start or ""),
                ("Til", found.end or ""),
            )
        )
        if found.problems:
            _challenge_table(plan.challenges(resource), story)
        if found.goals:
            _goal_table(plan.goals(resource), story)
        if found.interventions:
            _intervention_table(plan.interventions(resource), story)
        if found.notes:
            story.table(("Hvem", "Status"), [(n.actor, n.text) for n in found.notes])


def _challenge_table(found: Sequence[Challenge], story: Story) -> None:
    rows = [(str(c.rank), c.label, c.text, said(c.sections, SECTIONS)) for c in found]
    story.table(("Nr.", "Udfordring", "Tekst", "Område"), rows)


def _goal_table(found: Sequence[Objective], story: Story) -> None:
    rows = [(str(g.rank), g.text, said(g.sections, SECTIONS)) for g in found]
    story.table(("Nr.", "Mål", "Område"), rows)


def _intervention_table(found: Sequence[Intervention], story: Story) -> None:
    head = (
        "Mål nr.", "Indsats", "Ansvarlig", "Tid", "Status", "Succeskriterium", "Plan B", "Område",
    )  # fmt: skip
    story.table(head, [_intervention(i) for i in found])


def _intervention(found: Intervention) -> tuple[str, ...]:
    name = found.code_text if found.code_text != found.text else ""
    period = " – ".join(x for x in (found.start, found.end) if x)
    time = found.time if found.time == period or not period else f"{found.time} ({period})"
    return (
        ", ".join(str(g) for g in found.goals),
        f"{name}: {found.text}" if name else found.text,
        ", ".join(found.performers),
        time,
        STATUSES.get(found.status, found.status),
        found.success_criterion,
        found.fallback,
        said(found.sections, SECTIONS),
    )


def _address(address: Resource) -> str:
    if address.get("text"):
        return str(address["text"])
    place = f"{address.get('postalCode', '')} {address.get('city', '')}".strip()
    return ", ".join([*address.get("line", ()), *([place] if place else [])])


def _telecom(resource: Resource, system: str) -> str:
    found = [str(t.get("value", "")) for t in resource.get("telecom", ()) if
             t.get("system") == system]  # fmt: skip
    return ", ".join(v for v in found if v)


SECTIONS_IN_ORDER: Final[tuple[tuple[str, str, Telling, tuple[str, ...]], ...]] = (
    ("A", "Stamoplysninger", _citizen, ("Patient",)),
    ("B", "Kontaktpersoner", _contacts, ("CareTeam",)),
    ("C", "Indsatsplansmødet", _meeting, ("Appointment",)),
    ("D", "Kort aktuel status", _status, ("Observation",)),
    ("E", "Udfordringer i prioriteret rækkefølge", _challenges, ("Condition",)),
    ("F", "Fælles mål i prioriteret rækkefølge", _goals, ("Goal",)),
    ("G", "Indsatser i prioriteret rækkefølge", _interventions, ("KiPlan",)),
    ("H", "Næste møde og godkendelse", _next, ("KiPlan",)),
    ("I", "Niveau og forankring", _registration, ("KiPlan",)),
    ("J", "Bilag: sektorernes egne planer", _sector_plans, ("CarePlan",)),
)
"""Letter, title, how it is told, and what its entries are: types the shared plan refers to,
``KiPlan`` for itself, ``CarePlan`` for the sector plans."""
