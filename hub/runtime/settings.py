"""Settings: read once, from the environment (``KI_HUB_…``)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting with its default; a misspelt value is refused at start."""

    model_config = SettingsConfigDict(env_prefix="KI_HUB_", frozen=True, extra="ignore")

    data: Path = Field(Path("data"), description="Folder of the embedded deployment's database")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in the data folder")
    bus_url: str = Field("", description="amqp:// URL; empty: queues in the same database")
    bus_admin_url: str = Field("", description="The broker's management URL, with credentials")
    host: str = Field("127.0.0.1", description="Address to listen on; loopback unless told")
    port: int = Field(8080, description="Port to listen on")
    base_url: str = Field(
        "http://127.0.0.1:8080/fhir", description="The FHIR base as others reach it"
    )
    max_body_bytes: int = Field(32 * 1024 * 1024, description="Larger documents are refused")
    mappings_dir: str = Field(
        "", description="Folder of parties' own codes: PARTY/FORMAT/codes/TABLE.csv; empty: none"
    )
    seal_days: int = Field(30, description="Days until sealed bytes are deleted")
    refused_days: int = Field(
        90, description="Days until the bytes of refused and set-aside documents are deleted"
    )
    audit_days: int = Field(
        1826, ge=0, description="Days until whole segments of the audit trail are deleted; 0: never"
    )
    inbox_days: int = Field(
        1826, ge=0, description="Days until the bytes of earlier documents are deleted; 0: never"
    )
    delivery_days: int = Field(
        365, ge=0, description="Days until the bytes of ended deliveries are deleted; 0: never"
    )
    task_days: int = Field(365, ge=0, description="Days until done tasks are deleted; 0: never")
    console: bool = Field(True, description="Serve the operator's console beside the API")
    send_timeout: float = Field(30.0, description="Seconds for one send")
    validator_url: str = Field(
        "", description="HL7's validator run beside the hub; empty: the hub's own one alone"
    )
    validator_seconds: float = Field(30.0, description="Seconds to wait for it, for one document")
    validator_limit: int = Field(16, description="Documents waiting there, for each process")
    lease_seconds: float = Field(30.0, description="Seconds a crashed worker keeps its work")
    retry_attempts: int = Field(8, description="Sends in all, before a delivery is dead")
    retry_first_seconds: float = Field(2.0, description="Wait after the first failure; doubles")
    poll_seconds: float = Field(0.5, description="Pause of an idle worker")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_json: bool = Field(False, description="One JSON object a line instead of text")

    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data.resolve() / 'ki-hub.db'}"
