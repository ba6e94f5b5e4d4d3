"""An HTML reference page, in Danish, for each XML schema that the project publishes.

A published schema is ``adapters/*/*.xsd`` with a namespace of its own; one without is included by
others and told of in their pages. Pure: the same schemas give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from lxml import etree

from hub.mapping.xsd import MANY, XS, declarations, members, plain
from hub.mapping.xsd import sources as sources_of

ROOT: Final = Path(__file__).resolve().parents[2]
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Member:
    """One line of a type: an element, or one of several to choose from."""

    name: str
    type: str
    """A name in the page, or a built-in type such as ``xs:boolean``."""
    known: bool
    """The page tells of the type."""
    times: str
    text: str
    choice: bool = False


@dataclass(frozen=True)
class Described:
    """A root element, a type, or a code list."""

    name: str
    text: str
    members: tuple[Member, ...] = ()
    base: str = ""
    rules: tuple[str, ...] = ()
    codes: tuple[tuple[str, str], ...] = ()


def published() -> list[Path]:
    """Every schema with a namespace of its own, by file name."""
    found = sorted((ROOT / "adapters").glob("*/*.xsd"), key=lambda f: f.name)
    return [f for f in found if etree.parse(f).getroot().get("targetNamespace")]


def schema_pages() -> Mapping[str, str]:
    """File name below ``docs/`` to the page of each published schema."""
    return {f"schemas/{file.stem}.html": page(file) for file in published()}


def page(file: Path) -> str:
    """The reference page of one schema."""
    sources = sources_of(file)
    top = sources[0].getroot()
    declared = declarations(sources)
    roots = top.findall(f"{XS}element")
    used = _used(declared, [plain(r.get("type")) for r in roots])
    types = [_described(n, declared) for n in used if declared[n].tag == f"{XS}complexType"]
    simple = [_described(n, declared) for n in used if declared[n].tag == f"{XS}simpleType"]
    return _TEMPLATES.get_template("schema_page.html").render(
        title=file.stem.rpartition("-")[0],
        namespace=top.get("targetNamespace"),
        version=top.get("version"),
        file=file.relative_to(ROOT),
        included=[s.docinfo.URL and Path(s.docinfo.URL).name for s in sources[1:]],
        text=_text(top),
        roots=[_root(r) for r in roots],
        types=types,
        simple=[s for s in simple if not s.codes],
        lists=[s for s in simple if s.codes],
    ) + "\n"  # fmt: skip


def _text(declared: etree._Element) -> str:
    return declared.findtext(f"{XS}annotation/{XS}documentation") or ""


def _used(declared: Mapping[str, etree._Element], start: list[str]) -> list[str]:
    """The names of the types that lead from ``start``, in reading order."""
    todo, seen = list(start), list[str]()
    while todo:
        here = todo.pop(0)
        if here not in declared or here in seen:
            continue
        seen.append(here)
        todo[:0] = [m.type for m in _members(declared[here], declared)]
    return seen


def _described(name: str, declared: Mapping[str, etree._Element]) -> Described:
    found = declared[name]
    facets = found.find(f"{XS}restriction")
    union = found.find(f"{XS}union")
    codes = [] if facets is None else facets.findall(f"{XS}enumeration")
    rules = () if facets is None else tuple(_rules(facets))
    base = str(facets.get("base")) if facets is not None else ""
    if union is not None:
        base = str(union.get("memberTypes")).replace(" ", " eller ")
    return Described(
        name=name,
        text=_text(found),
        members=tuple(_members(found, declared)),
        base=base,
        rules=rules,
        codes=tuple((str(c.get("value")), _text(c)) for c in codes),
    )


_FACETS: Final = {
    "minLength": "mindst {} tegn",
    "maxLength": "højst {} tegn",
    "pattern": "mønster {}",
}


def _rules(facets: etree._Element) -> Iterator[str]:
    for facet in facets:
        name = etree.QName(facet).localname
        if name != "enumeration":
            yield _FACETS.get(name, f"{name} {{}}").format(facet.get("value"))


def _root(root: etree._Element) -> Described:
    """A root element with its type's name and what must be unique or known in the document."""
    kinds = (f"{XS}unique", f"{XS}key", f"{XS}keyref")
    rules = tuple(_text(rule) for rule in root if rule.tag in kinds)
    return Described(str(root.get("name")), _text(root), base=plain(root.get("type")), rules=rules)


def _members(part: etree._Element, declared: Mapping[str, etree._Element]) -> Iterator[Member]:
    """Each element of a type, those of groups and choices in their place."""
    for step, choice in members(part, declared):
        type_ = plain(step.get("type"))
        yield Member(
            str(step.get("name")), type_, type_ in declared, _times(step), _text(step), choice
        )


def _times(step: etree._Element) -> str:
    least, most = step.get("minOccurs", "1"), step.get("maxOccurs", "1")
    return f"{least}..{'*' if most == MANY else most}"
