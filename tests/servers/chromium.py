"""Debian's Chromium for Playwright: nothing is downloaded, nothing calls home."""

from __future__ import annotations

import shutil

from tests.servers.process import MissingProgram

FLAGS = (
    "--no-sandbox",  # Chromium refuses its sandbox to root, which is what CI runs as
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)
"""Arguments for ``playwright.chromium.launch(executable_path=executable(), args=FLAGS)``."""


def executable() -> str:
    """The browser's path; MissingProgram if it is not installed."""
    path = shutil.which("chromium")
    if path is None:
        raise MissingProgram("Chromium")
    return path
