"""YAML whose mappings know their lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hub.mapping.findings import Finding


class Lined(dict[str, Any]):
    """A mapping of a YAML file with its line, and that of each key."""

    line: int = 1
    lines: dict[str, int]
    twice: tuple[tuple[str, int], ...] = ()
    """Keys given more than once, with the line of the later one; YAML itself keeps the last."""

    def at(self, key: str) -> int:
        """The line of a key, else of the mapping."""
        return self.lines.get(key, self.line)


class _Loader(yaml.SafeLoader):
    """The safe loader; its mappings are :class:`Lined`."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Lined:
    loader.flatten_mapping(node)
    made = Lined()
    made.line = node.start_mark.line + 1
    made.lines, twice = {}, []
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        line = key_node.start_mark.line + 1
        if key in made:
            twice.append((key, line))
        made[key] = loader.construct_object(value_node, deep=True)
        made.lines[key] = line
    made.twice = tuple(twice)
    return made


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_lined(file: Path) -> Lined | Finding:
    """The file's mapping, or why there is none."""
    try:
        # A subclass of the safe loader: it makes plain values only.
        content = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        mark = getattr(e, "problem_mark", None)
        return Finding(file, mark.line + 1 if mark else 1, "form", "not YAML in UTF-8")
    if not isinstance(content, Lined):
        return Finding(file, 1, "form", "the file is not a mapping")
    return content
