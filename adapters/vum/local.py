"""A municipality's own codes in an order: exchanged for the shared ones before anything is checked.

Of every code system of which the tables have all codes, but for the event, which says that the
message is an order at all. Where one goes out the other way, in the entries that the hub adds; the
municipality's own content stays as it wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from adapters.vum.codes import COMPLETE
from adapters.vum.urls import EVENT_SYSTEM
from hub.codes import CodePair, LocalCodes
from hub.contract import Loss
from hub.mapping.trace import recorder

LOCAL: Final[Mapping[str, str]] = {
    name: system for system, name in COMPLETE.items() if system != EVENT_SYSTEM
}
"""The code lists in place of whose codes a party may write its own, and their code systems."""

_Change = Callable[[dict[str, Any], str], dict[str, Any]]


def to_shared(bundle: dict[str, Any], local: LocalCodes) -> tuple[dict[str, Any], list[Loss]]:
    """A copy in which every Coding of the party's own is the shared Coding it stands for.

    Losses, by path, where the shared code says less.
    """
    losses: list[Loss] = []

    def change(coding: dict[str, Any], at: str) -> dict[str, Any]:
        for name, system in LOCAL.items():
            pair = local.shared(name, coding["system"], coding["code"])
            if pair is not None:
                losses.extend(_lost(pair, at))
                trace = recorder()
                if trace is not None:
                    trace.exchange(f"{at}.code", f"{name}.csv:{pair.line}")
                return {**coding, **pair.coding, "system": system}
        return coding

    made: dict[str, Any] = _exchanged(bundle, change, "Bundle")
    return made, losses


def to_local(resource: dict[str, Any], local: LocalCodes) -> dict[str, Any]:
    """A copy in which every shared Coding is the party's own, where it has one."""

    def change(coding: dict[str, Any], _: str) -> dict[str, Any]:
        for name, system in LOCAL.items():
            pair = local.own(name, system, coding["code"]) if coding["system"] == system else None
            if pair is not None:
                own = {"system": pair.source_system, "code": pair.source_code}
                shown = {"display": pair.source_display} if pair.source_display else {}
                return {k: v for k, v in coding.items() if k != "display"} | own | shown
        return coding

    made: dict[str, Any] = _exchanged(resource, change, "")
    return made


def _exchanged(tree: Any, change: _Change, at: str) -> Any:
    if isinstance(tree, list):
        return [_exchanged(m, change, f"{at}[{i}]") for i, m in enumerate(tree)]
    if not isinstance(tree, dict):
        return tree
    if isinstance(tree.get("system"), str) and isinstance(tree.get("code"), str):
        return change(tree, at)
    return {k: _exchanged(v, change, f"{at}.{k}") for k, v in tree.items()}


def _lost(pair: CodePair, at: str) -> list[Loss]:
    if pair.lossless:
        return []
    return [Loss(f"{at}.code", "coarsened", pair.comment or "the nearest code")]
