"""What the hub may not know by name: formats, and which database it runs on."""

from __future__ import annotations

import re

from tests.architecture.source import ROOT, identifiers, literals, modules, place, project

DATABASE_FILES = {"hub/store/dialect.py", "hub/runtime/settings.py"}
"""The only place that tells databases apart, and the setting with the default URL."""


def format_words() -> set[str]:
    """The words of every registered format's name; ``fhir`` is the standard's name as well."""
    names = project()["project"]["entry-points"]["ki_hub.adapters"]
    return {word for name in names for word in name.split("-")} - {"fhir"}


def words(text: str) -> set[str]:
    return set(re.split(r"[\W_]+", text.lower()))


def test_no_format_is_named_in_the_hub() -> None:
    formats = format_words()
    assert formats
    found = []
    for path in modules("hub"):
        if path.is_relative_to(ROOT / "hub/demo"):
            continue
        for line, text in [*literals(path), *identifiers(path)]:
            found += [f"{place(path, line)} {word}" for word in formats & words(text)]
    for path in sorted((ROOT / "hub").rglob("*.html")):
        for line, text in enumerate(path.read_text("utf-8").splitlines(), 1):
            found += [f"{place(path, line)} {word}" for word in formats & words(text)]
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
