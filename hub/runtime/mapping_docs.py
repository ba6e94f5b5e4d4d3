"""The tables of a format as a page: in, out, codes, what is not shared and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from hub.contract import Adapter
from hub.mapping import mappings_folder
from hub.mapping.explain import by_code, described
from hub.mapping.source import Mapped
from hub.runtime.mappings import with_tables
from hub.runtime.registry import Registry

Json = Mapping[str, Any]
_HEAD: Final = """\
How a document in the format `{format}` becomes part of the shared plan, and how the plan comes back
to it. A row says what one element of the document is in FHIR; where nothing else is said, it is
read and written alike. `{command}` prints the same, and shows for one document where every value
came from. Changing a table: edit `mappings/`, then run `ki-hub mappings check`, and after a change
of codes `ki-hub mappings build`, which makes the FHIR ConceptMaps in `fhir_profiles/concept-maps/`.
A party's own codes: [local codes](../how-to/local-codes.md).
"""
_RELATIONS: Final = {
    "equal": "the same", "equivalent": "the same", "wider": "says less: a loss",
    "inexact": "nearly: a loss", "narrower": "says more: a loss",
}  # fmt: skip


def mapping_pages() -> Mapping[str, str]:
    """File name below ``docs/`` to the page of each format with tables."""
    registry, found = Registry(), dict[str, str]()
    for format in with_tables(registry):
        adapter = registry.adapter(format)
        if isinstance(adapter, Mapped):
            found[f"mappings/{format}.md"] = page(told(adapter))
    return found


def told(adapter: Adapter) -> Json:
    """Tables, codes and code of a format; of one without tables, what there is of it."""
    folder = adapter.tables if isinstance(adapter, Mapped) else mappings_folder(adapter.format)
    return {**described(folder), "format": adapter.format, "code": by_code(adapter)}


def page(told: Json) -> str:
    """Markdown of what :func:`hub.mapping.explain.described` tells."""
    format = told["format"]
    head = _HEAD.format(format=format, command=f"ki-hub mappings explain {format}")
    parts = [f"# Mapping: {format}", "<!-- Made by `make reference`; edit the tables instead. -->"]
    parts += ["", head]
    for table in told["tables"]:
        parts += _table(table)
    for codes in told["codes"]:
        parts += _codes(codes)
    parts += _by_code(told)
    return "\n".join(parts)


def _by_code(told: Json) -> Iterator[str]:
    """What no table says, and the functions that say it."""
    yield "## By code"
    yield "What no row says" if told["tables"] else "This format has no tables. All of it"
    yield "is read and written by these functions:"
    yield ""
    ways = {"in": "read", "out": "written"}
    rows = ((ways[c["way"]], c["result"], _code(c["by"])) for c in told["code"])
    yield from _grid(("", "What it becomes", "By"), rows)


def _table(table: Json) -> Iterator[str]:
    record = " or ".join(table["record"])
    yield f"## {table['name']}"
    yield f"{table['about']} Record: `{record}`; resource: `{table['resource']}`."
    yield ""
    if table["rows"]:
        yield from _grid(
            ("In the document", "In the plan", "", "How"),
            ((_code(r["from"]), _code(r["to"]), r["direction"], _how(r)) for r in table["rows"]),
        )
    if table["fixed"]:
        yield "Always written, whatever the document says:"
        yield ""
        yield from _grid(
            ("In the plan", "Value"), ((_code(f["to"]), _value(f)) for f in table["fixed"])
        )
    if table["notShared"]:
        yield "Not shared; it stays with its owner:"
        yield ""
        rows = ((_code(d["from"]), d["reason"]) for d in table["notShared"])
        yield from _grid(("In the document", "Why"), rows)
    if table["elsewhere"]:
        yield "Read elsewhere:"
        yield ""
        rows3 = (
            (_code(d["from"]), ", ".join(map(_code, d["by"])), d["reason"])
            for d in table["elsewhere"]
        )
        yield from _grid(("In the document", "By", "What for"), rows3)


def _how(row: Json) -> str:
    codes = [f"by {_code(row['codes'])}"] if row["codes"] else []
    several = ["each one of several"] if row["several"] else []
    needed = ["must be there"] if row["needed"] else []
    beside = [f"with {_code(b['to'])} {_value(b)}" for b in row["beside"]]
    said = [row["type"], *codes, *several, *needed, *beside, row["note"]]
    return "; ".join(x for x in said if x)


def _value(row: Json) -> str:
    value = row["value"]
    return ", ".join(_code(str(v)) for v in (value if isinstance(value, list) else [value]))


def _codes(codes: Json) -> Iterator[str]:
    yield f"## {codes['name']}"
    yield "Where several lines have one code, the first of them counts."
    yield ""
    rows = (
        (
            _code(pair["from"]),
            pair["fromDisplay"],
            _code(pair["to"]),
            pair["toDisplay"],
            "; ".join(x for x in (_RELATIONS[pair["relation"]], pair["comment"]) if x),
        )
        for pair in codes["pairs"]
    )
    yield from _grid(("Document", "Meaning", "Plan", "Meaning", "The plan's code says"), rows)


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        cells = [cell.replace("|", r"\|") for cell in row]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _code(text: str) -> str:
    return f"`{text}`"
