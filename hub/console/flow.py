"""The picture of the flow: sectors, the hub, receivers. Pure geometry; the words come later.

Units are those of the SVG's view box. The same figures stand in the table below the picture.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Final

WIDTH: Final = 1080
_SIDE: Final = 320
_HUB: Final = 210
_HUB_X: Final = (WIDTH - _HUB) / 2
_GAP: Final = 14
_LINE: Final = 19
_CHIP: Final = 22
_PAD: Final = 12
_PER_ROW: Final = 2
_LETTERS: Final = 32
"""Of a name on one line at the picture's type size."""

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "stopped": ("dead",),
    "waiting": ("blocked", "held"),
    "under-way": ("due", "sending", "sent", "retry_at"),
    "done": ("delivered",),
}
"""States as a receiver's box sums them; the final ones that need nobody are left out."""


@dataclass(frozen=True)
class Chip:
    """A shape, a number and a word."""

    x: float
    y: float
    name: str
    number: int


@dataclass(frozen=True)
class Box:
    """A sector or a receiver."""

    x: float
    y: float
    height: float
    lines: tuple[tuple[float, str], ...]
    """Baseline and text of the name."""
    chips: tuple[Chip, ...]
    paused: bool
    width: float = _SIDE

    @property
    def middle(self) -> float:
        """Where its line is tied."""
        return self.y + self.height / 2


@dataclass(frozen=True)
class Line:
    """A flow between a box and the hub."""

    path: str
    width: float
    paused: bool
    quiet: bool
    """Nothing has gone this way yet."""


@dataclass(frozen=True)
class Side:
    """What a box is made from."""

    name: str
    counts: Mapping[str, int]
    paused: bool = False


@dataclass(frozen=True)
class Flow:
    """Everything to draw."""

    height: float
    left: tuple[Box, ...]
    right: tuple[Box, ...]
    lines: tuple[Line, ...]
    hub_x: float = _HUB_X
    hub_width: float = _HUB
    width: float = WIDTH

    @property
    def hub_y(self) -> float:
        """The hub's box stands in the middle."""
        return (self.height - self.hub_height) / 2

    @property
    def hub_height(self) -> float:
        """Room for its figures, and for all lines to arrive."""
        return min(self.height, 216)


def grouped(states: Mapping[str, int]) -> dict[str, int]:
    """Deliveries by state, summed to the picture's groups."""
    return {g: sum(states.get(s, 0) for s in members) for g, members in GROUPS.items()}


def flow(senders: Sequence[Side], receivers: Sequence[Side]) -> Flow:
    """Lay it out, top to bottom in the given order."""
    columns = [_column(senders, 0), _column(receivers, WIDTH - _SIDE)]
    height = max([216.0, *(_bottom(c) for c in columns)])
    left, right = (_centred(c, height) for c in columns)
    bare = Flow(height, left, right, ())
    inward = _lines(bare, left, senders, inward=True)
    outward = _lines(bare, right, receivers, inward=False)
    return Flow(height, left, right, (*inward, *outward))


def _column(sides: Sequence[Side], x: float) -> tuple[Box, ...]:
    made: list[Box] = []
    y = 0.0
    for side in sides:
        names = textwrap.wrap(side.name, _LETTERS)[:2]
        lines = tuple((y + _PAD + 14 + i * _LINE, n) for i, n in enumerate(names))
        top = y + _PAD + len(names) * _LINE + 4
        shown = [(n, c) for n, c in side.counts.items() if c]
        chips = tuple(
            Chip(x + _PAD + (i % _PER_ROW) * 150, top + (i // _PER_ROW) * _CHIP, name, number)
            for i, (name, number) in enumerate([*shown, *([("paused", 0)] if side.paused else [])])
        )
        rows = max(1, -(-len(chips) // _PER_ROW))
        height = top - y + rows * _CHIP + _PAD - 4
        made.append(Box(x, y, height, lines, chips, side.paused))
        y += height + _GAP
    return tuple(made)


def _bottom(boxes: Sequence[Box]) -> float:
    return boxes[-1].y + boxes[-1].height if boxes else 0.0


def _centred(boxes: Sequence[Box], height: float) -> tuple[Box, ...]:
    down = (height - _bottom(boxes)) / 2
    return tuple(
        Box(
            b.x, b.y + down, b.height,
            tuple((at + down, text) for at, text in b.lines),
            tuple(Chip(c.x, c.y + down, c.name, c.number) for c in b.chips),
            b.paused,
        )
        for b in boxes
    )  # fmt: skip


def _lines(
    bare: Flow, boxes: Sequence[Box], sides: Sequence[Side], *, inward: bool
) -> tuple[Line, ...]:
    """Curves that arrive at the hub evenly spread, thicker for more traffic."""
    made = []
    for i, (box, side) in enumerate(zip(boxes, sides, strict=True)):
        tied = bare.hub_y + bare.hub_height * (i + 1) / (len(boxes) + 1)
        ends = (
            (_SIDE, box.middle, _HUB_X, tied)
            if inward
            else (_HUB_X + _HUB, tied, WIDTH - _SIDE, box.middle)
        )
        total = sum(side.counts.values())
        width = round(1.5 + min(5.0, log2(1 + total)), 1)
        made.append(Line(_curve(*ends), width, side.paused, total == 0))
    return tuple(made)


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    half = (x1 + x2) / 2
    return f"M{x1:.0f} {y1:.0f} C{half:.0f} {y1:.0f} {half:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
