"""requirements.lock and pyproject.toml say the same (``make lock`` makes it so)."""

from __future__ import annotations

import re

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.source import ROOT, project

LOCK = (ROOT / "requirements.lock").read_text("utf-8")


def wanted() -> dict[str, Requirement]:
    section = project()["project"]
    texts = section["dependencies"] + section["optional-dependencies"]["dev"]
    found = [Requirement(text) for text in texts]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def locked() -> dict[str, tuple[Version, str]]:
    """Name to version and everything under it: hashes and why it is there."""
    blocks = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)
    found = [re.match(r"([a-z0-9.-]+)==(\S+)", block) for block in blocks]
    return {
        match[1]: (Version(match[2]), block)
        for match, block in zip(found, blocks, strict=True)
        if match
    }


def test_every_requirement_is_locked_at_a_version_that_it_allows() -> None:
    versions = locked()
    unmet = [
        name
        for name, requirement in wanted().items()
        if name not in versions or versions[name][0] not in requirement.specifier
    ]
    assert unmet == []


def test_nothing_is_locked_that_is_no_longer_required() -> None:
    direct = {name for name, (_, block) in locked().items() if "ki-hub (pyproject.toml)" in block}
    assert direct == set(wanted())


def test_every_locked_version_has_hashes_and_no_index_is_named() -> None:
    assert [name for name, (_, block) in locked().items() if "--hash=sha256:" not in block] == []
    assert "://" not in LOCK
    assert "--index" not in LOCK
