"""Every link inside the repository leads somewhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import ROOT, every_page, headings, links


def broken(page: Path, root: Path = ROOT) -> list[str]:
    """Relative links whose file or heading is not there, or that leave the repository."""
    return [link for link in links(page) if not _leads_somewhere(link, page, root)]


def _leads_somewhere(link: str, page: Path, root: Path) -> bool:
    url = urlsplit(link)
    if url.scheme or url.netloc:
        return True
    target = (page.parent / unquote(url.path)).resolve() if url.path else page
    if not target.exists() or not target.is_relative_to(root):
        return False
    return not url.fragment or url.fragment in headings(target)


@pytest.mark.parametrize("page", every_page(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_every_page_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen:
            continue
        seen.add(page)
        for link in links(page):
            target = (page.parent / urlsplit(link).path).resolve()
            if not urlsplit(link).scheme and target.exists():
                todo += sorted(target.glob("*.md")) if target.is_dir() else []
                todo += [target] if target.suffix == ".md" else []
    assert [p.relative_to(ROOT) for p in every_page() if p not in seen] == []


def test_the_search_finds_what_it_is_for(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    (tmp_path / "there.md").write_text("# Et afsnit til\n", "utf-8")
    page.write_text(
        "# Top\n[a](gone.md) [b](there.md) [c](there.md#et-afsnit-til) [d](there.md#nope)\n"
        "![e](gone.png) [f](#top) [g](https://ki-hub.example/x) `[h](gone2.md)` [i](..)\n",
        "utf-8",
    )
    assert broken(page, tmp_path) == ["gone.md", "there.md#nope", "gone.png", ".."]
