"""``ki-hub law check``, and the answer after a citizen's no."""

from __future__ import annotations

from pathlib import Path

from hub.law import FILE
from tests.api.world import RUS
from tests.cli.conftest import Site, refusal


def test_the_statutes_are_checked(site: Site, tmp_path: Path) -> None:
    assert site.run("law", "check").returncode == 0
    strange = tmp_path / "statutes.yaml"
    text = FILE.read_text("utf-8")
    strange.write_text(text.replace("carries: [handleplan-141]", "carries: [dagbog]"), "utf-8")
    done = site.run("law", "check", str(strange))
    assert done.returncode == 1
    assert "serviceloven-141: carries dagbog" in done.stdout
    strange.write_text(text.replace("use: keeping", "use: browsing"), "utf-8")
    assert refusal(site.run("law", "check", str(strange)))


def test_an_answer_that_nothing_asks_for_is_refused(site: Site) -> None:
    plan = "00000000-0000-4000-8000-000000000000"
    said = ("--person", "Signe Prøve", "--consent-holds", "--no-new-meeting")
    done = site.run("approval", "answer-no", plan, "--party", RUS, *said)
    assert refusal(done)
    assert site.run("approval", "answer-no", plan, "--party", RUS).returncode == 2
