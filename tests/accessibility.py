"""What axe-core finds wrong with a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

_OPTIONS = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    },
    # Everything is checked; but what passed is not described element by element, which takes
    # more than half of the time.
    "resultTypes": ["violations"],
}


def violations(page: Page) -> list[str]:
    """Rule, element and remedy of each fault, by WCAG 2.1 AA and best practice."""
    found = Axe().run(page, options=_OPTIONS).response["violations"]
    return [f"{v['id']}: {n['target']} {n['failureSummary']}" for v in found for n in v["nodes"]]
