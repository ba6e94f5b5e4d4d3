"""A change made by someone who saw less: what was hidden from it stays. Pure.

A reduced view leaves out whole elements and, inside of what it shows, single members; a format may
not be able to say some. So a change is what came back against what was given, and it is made on
the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.model.same import place_of, same


def patched(seen: Any, sent: Any, whole: Any) -> Any:
    """``whole`` with what ``sent`` changed of ``seen``: ``whole`` with members left out.

    None stands for what is not there.
    """
    if same(sent, seen):
        return whole
    if seen is None or whole is None or same(seen, whole):
        return sent
    if isinstance(seen, Mapping) and isinstance(sent, Mapping) and isinstance(whole, Mapping):
        made = {k: patched(seen.get(k), sent.get(k), whole[k]) for k in whole if k in sent}
        # Left out by the sender: removed where it was shown, and what was hidden of it stays.
        made |= {k: _hidden(seen.get(k), v) for k, v in whole.items() if k not in sent}
        made |= {k: v for k, v in sent.items() if k not in whole and not same(seen.get(k), v)}
        order = dict.fromkeys([*whole, *sent])
        return {k: made[k] for k in order if k in made and made[k] is not None}
    if isinstance(seen, list) and isinstance(sent, list) and isinstance(whole, list):
        return _patched_list(seen, sent, whole)
    return sent


def _patched_list(seen: list[Any], sent: list[Any], whole: list[Any]) -> list[Any]:
    """Each element on the one it was shown of; hidden ones stay, in their places where they can."""
    shown = _shown(seen, whole)
    made: list[Any] = []
    for i, item in enumerate(sent):
        was = place_of(item, seen)
        known = shown[was] if was is not None else None
        if known is not None:
            made.append(whole[known])
        elif len(sent) == len(seen) and (at := shown[i]) is not None:
            made.append(patched(seen[i], item, whole[at]))
        else:
            made.append(item)
    hidden = [(i, x) for i, x in enumerate(whole) if i not in shown]
    for i, item in hidden:
        made.insert(min(i, len(made)), item)
    return made


def _hidden(seen: Any, whole: Any) -> Any:
    """What of ``whole`` was not shown; None if nothing is left."""
    if seen is None:
        return whole
    if isinstance(seen, list) and isinstance(whole, list):
        shown = _shown(seen, whole)
        return [x for i, x in enumerate(whole) if i not in shown] or None
    return None


def _shown(seen: list[Any], whole: list[Any]) -> list[int | None]:
    """For each element that was given, which of the whole it is; None if it is of none."""
    free = list(range(len(whole)))
    found: list[int | None] = []
    for item in seen:
        at = next((i for i in free if _is_part(item, whole[i])), None)
        if at is not None:
            free.remove(at)
        found.append(at)
    return found


def _is_part(part: Any, whole: Any) -> bool:
    """``part`` is ``whole`` with members left out."""
    if isinstance(part, Mapping) and isinstance(whole, Mapping):
        return all(k in whole and _is_part(v, whole[k]) for k, v in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return None not in _shown(part, whole)
    return same(part, whole)
