"""Each published schema has a reference page that tells all of it and is well formed."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree, html

from hub.runtime.schema_reference import published, schema_pages
from tests.docs.pages import DOCS

XS = "{http://www.w3.org/2001/XMLSchema}"
each_schema = pytest.mark.parametrize("file", published(), ids=lambda f: f.stem)


def shown(file: Path) -> etree._Element:
    return html.fromstring((DOCS / "schemas" / f"{file.stem}.html").read_text("utf-8"))


def test_there_is_a_page_for_each_schema_and_no_other() -> None:
    assert published()
    assert {f"schemas/{f.name}" for f in (DOCS / "schemas").iterdir()} == set(schema_pages())


@each_schema
def test_every_element_and_code_of_the_schema_is_on_its_page(file: Path) -> None:
    page = shown(file)
    cells = Counter(c.text_content() for c in page.iter("th") if c.get("scope") == "row")
    own = etree.parse(file)
    named = [e for e in own.iter(f"{XS}element") if e.getparent() is not own.getroot()]
    assert named
    for declared in [*named, *own.iter(f"{XS}enumeration")]:
        name = declared.get("name") or declared.get("value")
        assert cells[name], name
        text = declared.findtext(f"{XS}annotation/{XS}documentation")
        assert text is not None
        assert text in page.text_content(), name


@each_schema
def test_links_lead_somewhere_and_ids_are_unique(file: Path) -> None:
    page = shown(file)
    ids = Counter(page.xpath("//@id"))
    assert max(ids.values()) == 1
    targets = page.xpath("//a/@href")
    assert len(targets) > 10
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in ids
        else:
            assert (DOCS / "schemas" / target).resolve() == file


@each_schema
def test_the_page_can_be_read_by_everyone(file: Path) -> None:
    page = shown(file)
    assert page.get("lang") == "da"
    assert page.xpath("//title")
    assert len(page.xpath("//h1")) == len(page.xpath("//main")) == 1
    levels = [int(h.tag[1]) for h in page.iter("h1", "h2", "h3", "h4")]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in page.iter("table"):
        assert table.find("caption") is not None
        assert all(cell.get("scope") for cell in table.iter("th"))
