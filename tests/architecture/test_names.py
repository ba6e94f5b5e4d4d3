"""What the hub may not know by name: formats, and which database it runs on."""

from __future__ import annotations

import re

from tests.architecture.source import ROOT, identifiers, literals, modules, place, project

DATABASE_FILES = {"hub/store/dialect.py", "hub/runtime/settings.py"}
"""The only place that tells databases apart, and the setting with the default URL."""


EVERYBODYS = {"fhir", "html", "xml", "ki", "plan", "notice", "questionnaire"}
"""Words in formats' names that say something else as well: a standard, a medium, the domain."""


def format_names() -> set[str]:
    return set(project()["project"]["entry-points"]["ki_hub.adapters"])


def format_words() -> set[str]:
    """The words of every registered format's name that are its own."""
    return {word for name in format_names() for word in name.split("-")} - EVERYBODYS


def named(text: str) -> set[str]:
    """The formats that a text names, by a word of their own or by the whole name."""
    joined = re.sub(r"[\W_]+", "-", text.lower())
    whole = {n for n in format_names() - EVERYBODYS if re.search(rf"\b{n}\b", joined)}
    return format_words() & words(text) | whole


def words(text: str) -> set[str]:
    return set(re.split(r"[\W_]+", text.lower()))


def test_no_format_is_named_in_the_hub() -> None:
    assert named("a ki_plan_xml document") == {"ki-plan-xml"}
    assert named("the plan, by pdf") == {"pdf"}
    found = []
    for path in modules("hub"):
        if path.is_relative_to(ROOT / "hub/demo"):
            continue
        for line, text in [*literals(path), *identifiers(path)]:
            found += [f"{place(path, line)} {word}" for word in named(text)]
    for path in sorted((ROOT / "hub").rglob("*.html")):
        for line, text in enumerate(path.read_text("utf-8").splitlines(), 1):
            found += [f"{place(path, line)} {word}" for word in named(text)]
    assert found == []


def test_only_the_dialect_tells_databases_apart() -> None:
    found = [
        place(path, line)
        for path in modules("hub")
        if str(path.relative_to(ROOT)) not in DATABASE_FILES
        for line, text in literals(path)
        if re.search(r"sqlite|postgres", text)
    ]
    assert found == []
