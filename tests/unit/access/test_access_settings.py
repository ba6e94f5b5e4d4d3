"""Who is let in, by the settings; secrets from files; and none of them where it may be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hub.access.calls import Calls
from hub.errors import Misconfigured
from hub.model.reach import Reach
from hub.runtime.doors import door
from hub.runtime.settings import SECRETS, Settings
from hub.services.door import Door
from hub.store.dialect import Database
from hub.store.work import Store
from tests.cli.conftest import Site

PRODUCTION = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"


def made(tmp_path: Path, url: str = PRODUCTION, **settings: object) -> Door:
    store = Store(Database(url))
    try:
        return door(Settings(data=tmp_path, **settings), store, Calls(Reach()))  # type: ignore[arg-type]
    finally:
        store.close()


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode()


def test_production_lets_nobody_in_unless_it_is_told_how(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        made(tmp_path).check()
    made(tmp_path, static_credentials=True).check()
    made(tmp_path, issuer="https://issuer.example").check()
    given = made(tmp_path, token_key=pem(ec.generate_private_key(ec.SECP384R1())))
    given.check()
    assert not given.static


def test_the_embedded_deployment_has_all_it_needs(tmp_path: Path) -> None:
    found = made(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}")
    found.check()
    assert (found.static, found.https) == (True, False)
    assert made(tmp_path, base_url="https://hub.example/fhir").https


def test_a_key_that_is_none_or_weak_is_refused(tmp_path: Path) -> None:
    weak = (
        "x", pem(ec.generate_private_key(ec.SECP256R1())),
        pem(rsa.generate_private_key(65537, 1024)),
    )  # fmt: skip
    for key in weak:
        with pytest.raises(Misconfigured) as caught:
            made(tmp_path, token_key=key).check()
        assert "KI_HUB_TOKEN_KEY" in caught.value.text
        assert key not in caught.value.text or key == "x"


def test_a_secret_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        file = tmp_path / name
        file.write_text(f"hemmelig-{name}\n")
        monkeypatch.delenv(f"KI_HUB_{name.upper()}", raising=False)
        monkeypatch.setenv(f"KI_HUB_{name.upper()}_FILE", str(file))
    found = Settings()
    assert [getattr(found, n) for n in SECRETS] == [f"hemmelig-{n}" for n in SECRETS]
    assert "hemmelig" not in repr(found)
    monkeypatch.setenv("KI_HUB_TOKEN_KEY", "hemmelig-2")
    with pytest.raises(Misconfigured, match="not both"):
        Settings()
    monkeypatch.delenv("KI_HUB_TOKEN_KEY")
    monkeypatch.setenv("KI_HUB_TOKEN_KEY_FILE", str(tmp_path / "nothing"))
    with pytest.raises(Misconfigured, match="KI_HUB_TOKEN_KEY_FILE"):
        Settings()


def test_no_secret_is_told_by_doctor_or_by_what_does_not_start(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text(pem(ec.generate_private_key(ec.SECP384R1())))
    secret = "hemmelig-adgangskode"
    site = Site(tmp_path / "data")
    settings = {
        "oidc_client_secret": secret, "oidc_issuer": "https://issuer.example",
        "token_key_file": str(key), "log_level": "DEBUG",
    }  # fmt: skip
    broken = settings | {
        "database_url": f"postgresql+psycopg://hub:{secret}@127.0.0.1:9/nothing",
        "bus_url": f"amqp://hub:{secret}@127.0.0.1:9/", "token_key": secret,
    }  # fmt: skip
    del broken["token_key_file"]
    runs = [
        site.run("migrate", **settings), site.run("doctor", **settings),
        site.run("doctor", "--json", **broken), site.run("serve", **broken),
    ]  # fmt: skip
    body = "".join(key.read_text().splitlines()[1:-1])
    for done in runs:
        told = done.stdout + done.stderr
        assert secret not in told
        assert body[:40] not in told
    assert "access: ok" in runs[1].stdout
