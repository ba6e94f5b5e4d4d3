"""MedCom's code tables, from ``mappings/medcom-carecommunication/codes``."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

from adapters.medcom import urls
from hub.fhir.names import system
from hub.mapping import CodeTable, mappings_folder

FORMAT: Final = "medcom-carecommunication"
_OUTCOME: Final = system("receipt-outcome")

Outcome = Literal["ok", "transient", "permanent"]


@lru_cache(maxsize=8)
def table(name: Literal["category", "activity", "response", "issue"]) -> CodeTable:
    """A code table: MedCom's code and Danish display as source, its counterpart as target."""
    return CodeTable.load(mappings_folder(FORMAT) / "codes" / f"{name}.csv")


@lru_cache(maxsize=8)
def known(name: Literal["category", "activity", "response", "issue"]) -> frozenset[tuple[str, str]]:
    """The (system, code) pairs of a table."""
    return frozenset((p.source_system, p.source_code) for p in table(name).pairs)


@lru_cache(maxsize=1)
def displays() -> dict[tuple[str, str], tuple[str, str]]:
    """(system, code) to its Danish and English display, for narratives."""
    found = {
        (p.source_system, p.source_code): (p.source_display, p.target_display)
        for name in ("category", "activity", "response", "issue")
        for p in table(name).pairs
    }
    return found | {
        (urls.EVENTS, urls.CC_EVENT): ("Korrespondancemeddelelse", "Care Communication Message"),
        (urls.EVENTS, urls.ACK_EVENT): ("Kvitteringsmeddelelse", "Acknowledgement Message"),
        (urls.USES, "primary"): ("Primær modtager", "Primary receiver"),
    }


def outcome_of(code: str) -> Outcome:
    """The hub's outcome for a response code; UnknownCode for one that FHIR does not have."""
    pair = table("response").forward(code, system=urls.RESPONSES, at="MessageHeader.response.code")
    outcome: dict[str, Outcome] = {"ok": "ok", "transient": "transient", "permanent": "permanent"}
    return outcome[pair.target_code]
