"""A party's own codes on a hub that runs: in for the sender, out for the receiver, no one else."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import Misconfigured
from hub.mapping.codes import COLUMNS
from hub.runtime.bootstrap import close
from tests.api.world import PSYK, TREATMENT, founded

SYSTEM = "https://ki-hub.example/fhir/CodeSystem/ki-treatment-effort"
OWN = TREATMENT.replace(b">samtaleforloeb<", b">sam-1<")


def folder(at: Path, party: str, target: str = "samtaleforloeb") -> str:
    file = at / party / "behandlingsplan" / "codes" / "effort-type.csv"
    file.parent.mkdir(parents=True)
    row = f",sam-1,Samtale,{SYSTEM},{target},Samtaleforløb,equivalent,"
    file.write_text("\n".join([",".join(COLUMNS), row, ""]), "utf-8")
    return str(at)


def test_the_senders_own_codes_are_read_and_another_partys_are_not(tmp_path: Path) -> None:
    for party, status in ((PSYK, 202), ("rus-havneby", 422)):
        own = folder(tmp_path / f"own-{party}", party)
        world = founded(tmp_path / party, mappings_dir=own)
        try:
            assert world.consent().status_code == 201
            answer = world.post("/documents/behandlingsplan", PSYK, OWN)
            assert answer.status_code == status, answer.text
            assert "sam-1" not in answer.text
        finally:
            close(world.hub)


def test_what_goes_out_is_in_the_receivers_codes(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", PSYK)
    row = ",PSY,Psykiatrien,,psychiatry,Psykiatri,equivalent,"
    sections = Path(own) / PSYK / "behandlingsplan" / "codes" / "section.csv"
    sections.write_text("\n".join([",".join(COLUMNS), row, ""]), "utf-8")
    world = founded(tmp_path / "data", mappings_dir=own)
    try:
        assert world.consent().status_code == 201
        assert world.post("/documents/behandlingsplan", PSYK, OWN).status_code == 202
        world.publish_plan()
        world.work()
        (letter,) = world.letters(PSYK)
        body = world.get(f"/mailbox/{letter}", PSYK).content
    finally:
        close(world.hub)
    owned, _, others = body.partition(b"<OtherPlans>")
    assert b">sam-1<" in owned
    assert b">samtaleforloeb<" not in body
    assert b">PSY<" in others
    assert b">psykiatri<" in owned, "its own content stays as it wrote it"
    assert b">psykiatri<" not in others


def test_a_folder_with_a_mistake_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"effort-type.csv, line 2"):
        founded(tmp_path / "data", mappings_dir=folder(tmp_path / "own", PSYK, "samtaler"))
    with pytest.raises(Misconfigured, match="is not there"):
        founded(tmp_path / "data", mappings_dir=str(tmp_path / "none"))
