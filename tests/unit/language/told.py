"""Every sentence that the code can tell a caller, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from hub import errors
from hub.errors import HubError

ERRORS = {n for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, HubError)}
PLACES = {
    "Issue": 2, "Rule": 2, "_bound": 1, "finding": 1, "refused": 1, "Task": 3, "Loss": 2,
    "Confirm": 1, "Unroutable": 1, "ask_to_act": 4, "fail": 3,
}  # fmt: skip
"""Where each of these has its text."""
METHODS = {"move": 2, "restate": 1}
"""The same of methods: why a delivery is in its state."""
DANISH_OF_ISSUE = 4


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """Line and English text of each Issue and HubError made in a module.

    A number stands for every value in an f-string; a text that comes from elsewhere is not seen.
    """
    tree = ast.parse(path.read_text("utf-8"))
    around = _constants(tree.body)
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef):
            known = list(ast.walk(scope))
            for node in known:
                text = _argument(node)
                if text is not None:
                    yield from _values(text, around, known, node)


def _argument(node: ast.AST) -> ast.expr | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return None
    if isinstance(node.func, ast.Attribute):
        name, place = node.func.attr, METHODS.get(node.func.attr)
    else:
        name = node.func.id
        place = PLACES.get(name, 0 if name in ERRORS else None)
    if place is None or len(node.args) <= place:
        return None
    # An Issue with a text of its own in Danish needs none here.
    given = name == "Issue" and len(node.args) > DANISH_OF_ISSUE
    return None if given else node.args[place]


def _constants(body: list[ast.stmt]) -> dict[str, str]:
    found = {}
    for statement in body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if isinstance(statement, ast.AnnAssign):
            target = statement.target
        value = getattr(statement, "value", None)
        if isinstance(target, ast.Name) and (text := _text(value)) is not None:
            found[target.id] = text
    return found


def _values(
    text: ast.expr, around: dict[str, str], scope: list[ast.AST], at: ast.AST
) -> Iterator[tuple[int, str]]:
    line = getattr(at, "lineno", 0)
    plain = _text(text)
    if plain is not None:
        yield line, plain
    elif isinstance(text, ast.IfExp):
        for part in (text.body, text.orelse):
            yield from _values(part, around, scope, at)
    elif isinstance(text, ast.Name):
        if text.id in around:
            yield line, around[text.id]
        # The assignment nearest above is the one that is told.
        given = [
            (n.lineno, t)
            for n in scope
            if isinstance(n, ast.Assign)
            and isinstance(n.targets[0], ast.Name)
            and n.targets[0].id == text.id
            and n.lineno < line
            and (t := _text(n.value)) is not None
        ]
        if given:
            yield max(given)


def _text(value: ast.expr | None) -> str | None:
    """A string, or an f-string with 7 for each value."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    if isinstance(value, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in value.values)
    return None
