"""The plan's own words as frozen values: what a reader of the canonical resources gets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contact:
    """A person or function around the citizen."""

    roles: tuple[str, ...]
    """ki-role codes."""
    name: str
    title: str
    unit: str
    """The unit's name as written."""
    phone: str | None
    """As written; None if never given, empty if given as unknown."""
    email: str | None
    reference: str
    organization: str | None
    """``Organization/id`` of the unit."""


@dataclass(frozen=True)
class Challenge:
    """One of the most acute challenges, in order."""

    rank: int
    label: str
    text: str
    sections: tuple[str, ...]
    path: str


@dataclass(frozen=True)
class Objective:
    """A goal, in order."""

    rank: int
    text: str
    sections: tuple[str, ...]
    reference: str
    path: str


@dataclass(frozen=True)
class Intervention:
    """An agreed effort, in order."""

    rank: int
    text: str
    goals: tuple[int, ...]
    """Ranks of the goals it serves."""
    performers: tuple[str, ...]
    """As written."""
    time: str
    """As written, else the period, else empty."""
    start: str | None
    end: str | None
    success_criterion: str
    fallback: str
    follow_up: tuple[str, ...]
    """When and how it is looked at again, and how it went: each note as written."""
    status: str
    code_text: str
    """The offer's or ydelse's name where it has one besides its description."""
    sections: tuple[str, ...]
    path: str


@dataclass(frozen=True)
class StatusNote:
    """Kort aktuel status from one actor."""

    actor: str
    text: str
    sections: tuple[str, ...]
    path: str


@dataclass(frozen=True)
class Meeting:
    """The indsatsplansmøde."""

    date: str
    present: tuple[str, ...]
    declined: tuple[tuple[str, str], ...]
    """Who, and the reason if one was given."""
    start: str = ""
    """The FHIR dateTime it began, if the hour is known."""
    end: str = ""
    chair: tuple[str, ...] = ()
    """Those present who led it."""
    minutes: tuple[str, ...] = ()
    """Those present who wrote the minutes."""
    path: str = ""


@dataclass(frozen=True)
class Convener:
    """Who calls the next meeting, and from when until when."""

    who: str
    since: str
    until: str


@dataclass(frozen=True)
class NextMeeting:
    """The agreed next meeting, as written."""

    time: str
    earliest: str | None
    latest: str | None
    place: str
    conveners: tuple[Convener, ...]


@dataclass(frozen=True)
class Postscript:
    """Efterskrift."""

    text: str
    author: str
    date: str


@dataclass(frozen=True)
class SectorPlan:
    """What may be seen of one sector's own plan."""

    kind: str
    owner: str
    """The unit's name."""
    owner_reference: str
    purpose: str
    start: str | None
    end: str | None
    problems: tuple[Challenge, ...]
    goals: tuple[Objective, ...]
    interventions: tuple[Intervention, ...]
    notes: tuple[StatusNote, ...]
    reference: str
