"""Settings: read once, from the environment (``KI_HUB_…``); secrets also from files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from hub.errors import Misconfigured

PREFIX: Final = "KI_HUB_"
SECRETS: Final = ("database_url", "bus_url", "bus_admin_url", "token_key", "oidc_client_secret")
"""Settings that may hold a secret: each may stand in a file named by ``…_FILE`` instead."""


class Settings(BaseSettings):
    """Every setting with its default; a misspelt value is refused at start."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    data: Path = Field(Path("data"), description="Folder of the embedded deployment's database")
    database_url: str = Field(
        "", repr=False, description="SQLAlchemy URL; empty: SQLite in the data folder"
    )
    bus_url: str = Field(
        "", repr=False, description="amqp:// URL; empty: queues in the same database"
    )
    bus_admin_url: str = Field(
        "", repr=False, description="The broker's management URL, with credentials"
    )
    host: str = Field("127.0.0.1", description="Address to listen on; loopback unless told")
    port: int = Field(8080, description="Port to listen on")
    base_url: str = Field(
        "http://127.0.0.1:8080/fhir", description="The FHIR base as others reach it"
    )
    max_body_bytes: int = Field(32 * 1024 * 1024, description="Larger documents are refused")
    documents_a_minute: int = Field(
        0, description="Documents a party may send in a minute; 0: no limit"
    )
    bytes_a_day: int = Field(0, description="Bytes a party may send in a day; 0: no limit")
    mappings_dir: str = Field(
        "", description="Folder of parties' own codes: PARTY/FORMAT/codes/TABLE.csv; empty: none"
    )
    seal_days: int = Field(30, description="Days until sealed bytes are deleted")
    refused_days: int = Field(
        90,
        description="Days until bytes that could not be read, and dead letters, are deleted",
    )
    audit_days: int = Field(
        1826, ge=0, description="Days until whole segments of the audit trail are deleted; 0: never"
    )
    inbox_days: int = Field(
        1826, ge=0, description="Days until the bytes of earlier documents are deleted; 0: never"
    )
    delivery_days: int = Field(
        365, ge=0, description="Days until the bytes of ended deliveries and of acknowledgements "
        "are deleted; 0: never",
    )  # fmt: skip
    task_days: int = Field(365, ge=0, description="Days until done tasks are deleted; 0: never")
    console: bool = Field(True, description="Serve the operator's console beside the API")
    send_timeout: float = Field(30.0, description="Seconds for one send")
    outgoing_hosts: str = Field(
        "", description="Hosts that hooks may go to: names with commas, `*.` for all below one"
    )
    outgoing_networks: str | None = Field(
        None,
        description="Networks that are not public and may be called, with commas; "
        "without it: loopback on the embedded deployment, else none",
    )
    static_credentials: bool | None = Field(
        None,
        description="Credentials of the parties file count, for callers and at the login page; "
        "without it: on the embedded deployment alone",
    )
    issuer: str = Field(
        "", description="Issuer (URL) of machine clients' tokens; empty: the hub itself"
    )
    issuer_audience: str = Field(
        "", description="What `aud` of that issuer's tokens holds; empty: the FHIR base"
    )
    token_key: str = Field(
        "",
        repr=False,
        description="Private key (PEM; EC P-384 or RSA) the hub signs tokens with; without it the "
        "embedded deployment makes one at each start, and production gives no tokens",
    )
    oidc_issuer: str = Field(
        "", description="OpenID provider (URL) where people log in; empty: none"
    )
    oidc_client_id: str = Field("", description="The console's client there")
    oidc_client_secret: str = Field("", repr=False, description="Its secret")
    oidc_roles_claim: str = Field(
        "roles", description="The claim with a person's roles; dots lead into it"
    )
    oidc_unit_claim: str = Field(
        "unit", description="The claim with the id of the party whose staff a person is"
    )
    session_idle_minutes: float = Field(
        15.0, description="A login of the console ends after so long without a request"
    )
    session_hours: float = Field(
        8.0,
        description="And after so long in any case; of a person from a provider, one hour at most",
    )
    proxy_networks: str = Field(
        "", description="Where the proxy that ends TLS is, with commas; its word on certificates"
    )
    client_certificate_header: str = Field(
        "Client-Cert", description="The header in which it tells the client's certificate"
    )
    validator_url: str = Field(
        "", description="HL7's validator run beside the hub; empty: the hub's own one alone"
    )
    validator_seconds: float = Field(30.0, description="Seconds to wait for it, for one document")
    validator_limit: int = Field(16, description="Documents waiting there, for each process")
    lease_seconds: float = Field(30.0, description="Seconds a crashed worker keeps its work")
    retry_attempts: int = Field(8, ge=1, description="Sends in all, before a delivery is dead")
    retry_first_seconds: float = Field(2.0, gt=0, description="Wait after the first failure")
    retry_longest_seconds: float = Field(1800.0, gt=0, description="No wait is longer")
    retry_factor: float = Field(
        2.0, ge=1, le=10, description="Each wait is so many times the one before"
    )
    retry_jitter: float = Field(
        0.25, ge=0, le=1, description="A wait is shorter or longer by up to this share of itself"
    )
    retry_hours: float = Field(
        0.0, ge=0, description="From the first send; then a delivery is dead; 0: attempts decide"
    )
    endpoint_failures: int = Field(
        5, ge=0, description="Failures in a row after which an endpoint is left alone; 0: never"
    )
    endpoint_pause_seconds: float = Field(
        15.0, gt=0, description="Until one delivery is tried there; doubles, up to 15 minutes"
    )
    receipt_seconds: float = Field(
        3600.0, description="Without a receipt so long, a sent document that is gone is sent again"
    )
    reconcile_minutes: float = Field(
        60.0,
        ge=0,
        description="Minutes between two comparisons of what each party should hold with "
        "what it was sent; 0: only by `ki-hub reconcile`",
    )
    silent_hours: int = Field(
        72,
        ge=0,
        description="Hours that something waits for a receiver that fetches and answers "
        "nothing, before the operator has a task; 0: for ever (`silent_hours` in the parties file)",
    )
    stop_seconds: float = Field(
        20.0,
        description="Seconds after SIGTERM to finish what is in hand; what is left is let go",
    )
    poll_seconds: float = Field(0.5, description="Pause of an idle worker")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_json: bool = Field(False, description="One JSON object a line instead of text")

    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data.resolve() / 'ki-hub.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the program says, the environment, then files that the environment names."""
        return init_settings, env_settings, _Files(settings_cls)


class _Files(PydanticBaseSettingsSource):
    """``KI_HUB_TOKEN_KEY_FILE`` names the file that holds ``KI_HUB_TOKEN_KEY``."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """A secret's value from its file; None where none is named."""
        variable = f"{PREFIX}{field_name.upper()}"
        path = os.environ.get(f"{variable}_FILE") if field_name in SECRETS else None
        if not path:
            return None, field_name, False
        if os.environ.get(variable):
            raise Misconfigured(f"Set {variable} or {variable}_FILE, not both")
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError):
            raise Misconfigured(f"The file that {variable}_FILE names cannot be read") from None

    def __call__(self) -> dict[str, Any]:
        """Every secret that a file holds."""
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}
