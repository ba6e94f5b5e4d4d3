"""A municipality's own codes in an order: exchanged for FFB codes before anything is checked.

None goes out: other parties' efforts stand in a re-issued order as text, and the municipality's
own content as it wrote it.
"""

from __future__ import annotations

from typing import Any, Final

from hub.codes import LocalCodes
from hub.contract import Loss
from hub.mapping.trace import recorder

LOCAL: Final = "ffb"
"""The code list in place of whose codes a party may write its own."""


def to_shared(bundle: dict[str, Any], local: LocalCodes) -> tuple[dict[str, Any], list[Loss]]:
    """A copy in which every Coding of the party's own is the FFB Coding it stands for.

    Losses, by path, where the FFB code says less.
    """
    losses: list[Loss] = []
    made: dict[str, Any] = _exchanged(bundle, local, "Bundle", losses)
    return made, losses


def _exchanged(tree: Any, local: LocalCodes, at: str, losses: list[Loss]) -> Any:
    if isinstance(tree, list):
        return [_exchanged(m, local, f"{at}[{i}]", losses) for i, m in enumerate(tree)]
    if not isinstance(tree, dict):
        return tree
    system, code = tree.get("system"), tree.get("code")
    if isinstance(system, str) and isinstance(code, str):
        pair = local.shared(LOCAL, system, code)
        if pair is not None:
            if not pair.lossless:
                losses.append(Loss(f"{at}.code", "coarsened", pair.comment or "the nearest code"))
            trace = recorder()
            if trace is not None:
                trace.exchange(f"{at}.code", f"{LOCAL}.csv:{pair.line}")
            return {**tree, **pair.coding}
    return {k: _exchanged(v, local, f"{at}.{k}", losses) for k, v in tree.items()}
