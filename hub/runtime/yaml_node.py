"""A file of keys and values, read strictly: each key once, every key known, errors with a place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import yaml

from hub.errors import Invalid, Malformed


def load(text: str, name: str) -> Node:
    """The whole text; raises Malformed naming the line."""
    try:
        # A subclass of the safe loader: nothing but plain values is made.
        content = yaml.load(text, _OnceLoader)  # noqa: S506
    except yaml.MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 0
        slip = "a key stands twice" if isinstance(e, _Twice) else "not YAML"
        raise Malformed(f"{name}, line {line}: {slip}") from None
    except yaml.YAMLError:
        raise Malformed(f"{name}: not YAML") from None
    return Node(name, "", content)


class _Twice(yaml.MarkedYAMLError):
    """A key that stands twice; YAML would silently take the last."""


class _OnceLoader(yaml.SafeLoader):
    """Plain values only, each key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            found = self.construct_object(key, deep=True)
            if not isinstance(found, str) or found in seen:
                raise _Twice(problem_mark=key.start_mark)
            seen.add(found)
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Node:
    """A value of the file with the place it has."""

    file: str
    path: str
    value: Any

    def fail(self, text: str) -> NoReturn:
        """Raises Invalid with file and place."""
        raise Invalid(f"{self.file}, {self.path or 'top'}: {text}", at=self.path or "top")

    def keys(self, *known: str) -> Node:
        """Itself, if it has no other keys."""
        if not isinstance(self.value, dict):
            self.fail("expected keys and values")
        unknown = sorted(str(k) for k in self.value if k not in known)
        if unknown:
            self.fail(f"unknown key {unknown[0]}; known: {', '.join(known)}")
        return self

    def child(self, key: str, kind: type, default: Any = ...) -> Node:
        """The value of a key, of that kind; without a default it must be there."""
        place = f"{self.path}.{key}" if self.path else key
        found = Node(self.file, place, self.value.get(key, default))
        if found.value is ...:
            found.fail("is missing")
        if found.value is not default and type(found.value) is not kind:
            wanted = {
                str: "text (in quotes)", bool: "true or false", list: "a list",
                int: "a whole number",
            }  # fmt: skip
            found.fail(f"expected {wanted.get(kind, 'keys and values')}")
        return found

    def items(self) -> list[Node]:
        """What is in a list."""
        return [Node(self.file, f"{self.path}[{i}]", v) for i, v in enumerate(self.value)]

    def text(self, key: str, form: str = r"(?s).*\S.*") -> str:
        """A text of that form."""
        found = self.child(key, str)
        if not re.fullmatch(form, found.value):
            found.fail("not of the right form")
        return cast(str, found.value)

    def number(self, key: str, least: float, most: float, said: str) -> float | None:
        """A number between two others, both included; None where the key is missing."""
        if key not in self.value:
            return None
        found = Node(self.file, f"{self.path}.{key}" if self.path else key, self.value[key])
        if type(found.value) not in (int, float) or not least <= found.value <= most:
            found.fail(said)
        return cast(float, found.value)

    def choice(self, key: str, *allowed: str) -> Any:
        """One of the allowed texts; the first where the key is missing."""
        found = self.child(key, str, allowed[0])
        if found.value not in allowed:
            found.fail(f"one of: {', '.join(allowed)}")
        return found.value
