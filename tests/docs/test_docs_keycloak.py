"""The realm in deploy/keycloak against what the hub knows; tests/keycloak runs Keycloak with it."""

from __future__ import annotations

import json
import re
from typing import Any

from hub.access.external import LONGEST_LIFE
from hub.api.scopes import NEEDS
from hub.console.roles import ROLES
from hub.model.scopes import Scopes, unknown_words
from tests.docs.pages import DOCS, ROOT

TEXT = (ROOT / "deploy" / "keycloak" / "realm.json").read_text("utf-8")
REALM: dict[str, Any] = json.loads(TEXT)


def test_its_roles_and_times_are_the_hub_s() -> None:
    assert {role["name"] for role in REALM["roles"]["realm"]} == set(ROLES)
    assert REALM["accessTokenLifespan"] == LONGEST_LIFE.total_seconds()


def test_its_scopes_open_all_that_is_there() -> None:
    named = [scope["name"] for scope in REALM["clientScopes"]]
    words = [name for name in named if "/" in name]
    assert unknown_words(" ".join(words)) == []
    granted = Scopes.of(" ".join(words))
    needs = {need for need in NEEDS.values() if need and "{" not in need}
    assert [need for need in sorted(needs) if not granted.covers(need)] == []
    (machine, console) = REALM["clients"]
    assert machine["optionalClientScopes"] == words
    assert {*machine["defaultClientScopes"], *console["defaultClientScopes"]} <= set(named)


def test_a_person_does_not_choose_the_unit() -> None:
    (provider,) = REALM["components"]["org.keycloak.userprofile.UserProfileProvider"]
    (told,) = provider["config"]["kc.user.profile.config"]
    edits = {a["name"]: a["permissions"]["edit"] for a in json.loads(told)["attributes"]}
    assert edits["unit"] == ["admin"]


def test_what_fills_it_in_is_told() -> None:
    wanted = set(re.findall(r"\$\{(KI_HUB_\w+)\}", TEXT))
    page = (DOCS / "security.md").read_text("utf-8")
    assert wanted == {"KI_HUB_BASE_URL", "KI_HUB_CONSOLE_URL", "KI_HUB_OIDC_CLIENT_SECRET"}
    assert [name for name in wanted if f"`{name}`" not in page] == []
