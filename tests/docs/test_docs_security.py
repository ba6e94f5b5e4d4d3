"""docs/security.md against the tables of roles and scopes, and the settings that it names."""

from __future__ import annotations

import re

from hub.api.scopes import NEEDS
from hub.console.roles import PAGES, ROLES
from hub.model.scopes import OWN_TYPES
from hub.runtime.settings import PREFIX, SECRETS, Settings
from tests.docs.pages import DOCS

PAGE = DOCS / "security.md"
TEXT = PAGE.read_text("utf-8")


def test_the_table_of_roles_is_the_consoles() -> None:
    told = {
        row[1]: set(re.findall(r"`([^`]+)`", row[2]))
        for row in re.finditer(r"^\| `(\w+)` \| (`/.*) \|$", TEXT, re.MULTILINE)
    }
    assert set(told) == set(ROLES)
    for role, areas in told.items():
        own = {"/".join(p.split("/")[:3]) for (_, p), roles in PAGES.items() if role in roles}
        assert {a if a.startswith("/console") else f"/{a.split('/')[1]}" for a in own} == areas


def test_every_scope_of_the_hubs_own_is_told() -> None:
    told = TEXT.split("### Scopes")[1].split("### Who")[0]
    for need in set(NEEDS.values()):
        kind, _, letters = need.partition(".")
        if kind in OWN_TYPES:
            (row,) = [r for r in told.splitlines() if f"system/{kind}." in r]
            granted = set("".join(re.findall(r"\.([cruds]+)`", row)))
            assert set(letters) <= granted, need


def test_every_secret_and_setting_that_it_names_is_there() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    files = {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS}
    named = set(re.findall(r"KI_HUB_\w+", TEXT))
    realm = {"KI_HUB_CONSOLE_URL"}  # fills in deploy/keycloak/realm.json
    assert named <= known | files | realm
    assert files <= named
