"""Keycloak itself, with the realm of deploy/keycloak: fetched with Maven, run in its development
mode on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx

from tests.servers.process import free_port

ROOT = Path(__file__).parents[2]
REALM = ROOT / "deploy" / "keycloak" / "realm.json"
VERSION = "26.7.3"
SECRET = "keycloak-console-secret"
_ADMIN = "admin"
_FETCHED = ROOT / "build" / "keycloak"


class Keycloak:
    """The running server as a test sees it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.issuer = f"{url}/realms/ki-hub"

    def admin(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """One call of the realm's administration."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": _ADMIN,
                "password": _ADMIN}  # fmt: skip
        given = httpx.post(f"{self._url}/realms/master/protocol/openid-connect/token", data=form)
        headers = {"Authorization": f"Bearer {given.raise_for_status().json()['access_token']}"}
        url = f"{self._url}/admin/realms/ki-hub{path}"
        return httpx.request(method, url, json=body, headers=headers).raise_for_status()

    def client(self, name: str, jwk: dict[str, str]) -> None:
        """A machine client as the example in the realm, with a key of its own."""
        (example,) = self.admin("GET", "/clients?clientId=ehr-eksempelby").json()
        keys = {"use.jwks.url": "false", "use.jwks.string": "true", "jwks.url": "",
                "jwks.string": str({"keys": [jwk]}).replace("'", '"')}  # fmt: skip
        made = {k: v for k, v in example.items() if k != "id" and not k.startswith("protocolM")}
        self.admin("POST", "/clients", made | {
            "clientId": name, "attributes": example["attributes"] | keys,
        })  # fmt: skip

    def person(self, name: str, password: str, *roles: str, unit: str = "") -> None:
        """Somebody who may log in."""
        self.admin("POST", "/users", {
            "username": name, "enabled": True, "firstName": "Signe", "lastName": "Prøve",
            "email": f"{name}@hub.example", "emailVerified": True,
            "attributes": {"unit": [unit]} if unit else {},
            "credentials": [{"type": "password", "value": password, "temporary": False}],
        })  # fmt: skip
        (user,) = self.admin("GET", f"/users?exact=true&username={name}").json()
        given = [self.admin("GET", f"/roles/{role}").json() for role in roles]
        self.admin("POST", f"/users/{user['id']}/role-mappings/realm", given)

    def token(self, assertion: str, scope: str) -> httpx.Response:
        """What it answers a machine."""
        form = {
            "grant_type": "client_credentials", "scope": scope, "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }  # fmt: skip
        return httpx.post(f"{self.issuer}/protocol/openid-connect/token", data=form)


def _archive() -> Path:
    found = _FETCHED / f"keycloak-quarkus-dist-{VERSION}.zip"
    if not found.exists():
        artifact = f"-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
        command = ["mvn", "-B", "-q", "dependency:copy", artifact, f"-DoutputDirectory={_FETCHED}"]
        subprocess.run(command, check=True)
    return found


@contextmanager
def running(folder: Path, console: str) -> Iterator[Keycloak]:
    """Until the block ends. ``console``: the address of the hub's console, its FHIR base below."""
    with ZipFile(_archive()) as packed:
        packed.extractall(folder)
    home = folder / f"keycloak-{VERSION}"
    (home / "data" / "import").mkdir(parents=True)
    shutil.copy(REALM, home / "data" / "import")
    port = free_port()
    command = ["bash", str(home / "bin" / "kc.sh"), "start-dev", "--import-realm",
               "--http-host", "127.0.0.1", "--http-port", str(port)]  # fmt: skip
    told = {
        "KC_BOOTSTRAP_ADMIN_USERNAME": _ADMIN, "KC_BOOTSTRAP_ADMIN_PASSWORD": _ADMIN,
        "KI_HUB_BASE_URL": f"{console}/fhir", "KI_HUB_CONSOLE_URL": console,
        "KI_HUB_OIDC_CLIENT_SECRET": SECRET,
    }  # fmt: skip
    log = folder / "keycloak.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=os.environ | told, stdout=out, stderr=out)
    try:
        found = Keycloak(f"http://127.0.0.1:{port}")
        _wait(found.issuer, process, log)
        yield found
    finally:
        process.terminate()
        process.wait(60)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 300
    while True:
        try:
            httpx.get(url).raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > until or process.poll() is not None:
                raise AssertionError(log.read_text("utf-8")[-2000:]) from None
            time.sleep(0.5)
