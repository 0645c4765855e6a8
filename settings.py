"""Define the settings of a deployment; each process reads them once from the environment.

Temporal's connection (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`) isn't among them:
`temporalio.envconfig` reads it, as in every client of Temporal.
"""

import sys
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runs.key_ring import KeyRing

Kind = TypeVar("Kind", bound=BaseSettings)


def read_settings(kind: type[Kind]) -> Kind:
    """Read settings from the environment, or exit with a line that names the missing and the wrong variables."""
    try:
        return kind()
    except ValidationError as error:
        sys.exit("; ".join(_line(fault["type"], fault["loc"], fault["msg"]) for fault in error.errors()))


def _line(kind: str, place: tuple[Any, ...], message: str) -> str:
    variable = ".".join(str(part) for part in place).upper()
    if kind == "missing":
        return f"{variable} isn't set"
    message = message.removeprefix("Value error, ")
    return f"{variable}: {message}" if variable else message


class Settings(BaseSettings):
    """Base of all settings."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, hide_input_in_errors=True)


DEVELOPMENT = "development"
"""The `APP_ENV` of a stack for trying the service, and the id of the payload key in `.env.example`."""
DEVELOPMENT_KEY_FILE = "public.pem"


def trusts_development_key(app_env: str | None, jwks_url: str | None, public_key: str | None) -> bool:
    """Return whether compose's key pair verifies tokens: in development, for want of another key."""
    return app_env == DEVELOPMENT and not jwks_url and not public_key


class MigrationSettings(Settings):
    """Settings of the migrations."""

    migration_database_url: SecretStr = Field(description="As `DATABASE_URL`, with the role `scheduler_owner`.")


class DatabaseSettings(Settings):
    """Settings of every process that uses PostgreSQL."""

    database_url: SecretStr = Field(
        description="postgresql+psycopg://user:password@host:port/database?name=value, with the names of libpq, and"
        " the role `scheduler_api` or `scheduler_worker`. What it sets, as in `options=-c statement_timeout=20s`, takes"
        " precedence over the service's own limits, but not over"
        " what correctness rests on (`db/sessions.py`)."
    )
    listen_host: str = Field(default="127.0.0.1", description="Address that HTTP listens on; 0.0.0.0 in a container.")
    database_pool_size: int = Field(default=20, ge=1, description="Connections per pool; a process has two pools.")


class SystemDatabaseSettings(Settings):
    """Settings of a process that works across tenants."""

    system_database_url: SecretStr = Field(
        description="As `DATABASE_URL`, with the role `scheduler_system`; the API has no such variable."
    )


class EncryptionSettings(Settings):
    """Settings of every process that uses Temporal."""

    payload_encryption_keys: SecretStr | None = Field(
        default=None,
        description="Keys of AES-256 as id:base64,id:base64 that encrypt what the service stores in Temporal: the first"
        " encrypts, all decrypt; the same in every process. Without them nothing is encrypted.",
    )

    app_env: str = Field(
        default="",
        description="`development`, and no other value, allows the public payload key of `.env.example`, and the key"
        " pair that compose makes for tokens.",
    )

    @field_validator("payload_encryption_keys")
    @classmethod
    def check_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        """Require ids and keys that can be used."""
        if keys is not None:
            KeyRing.parse(keys.get_secret_value())
        return keys

    @model_validator(mode="after")
    def reject_the_public_key(self) -> Self:
        """Reject the payload key of `.env.example` outside development."""
        if self.app_env != DEVELOPMENT and self.key_ring and DEVELOPMENT in self.key_ring.keys:
            msg = (
                f"PAYLOAD_ENCRYPTION_KEYS has the key `{DEVELOPMENT}` of .env.example, which anyone can read: set a"
                f" key of your own, or APP_ENV={DEVELOPMENT}"
            )
            raise ValueError(msg)
        return self

    @property
    def key_ring(self) -> KeyRing | None:
        """Return the keys, or None if nothing is to be encrypted."""
        keys = self.payload_encryption_keys
        return None if keys is None else KeyRing.parse(keys.get_secret_value())


class RunSettings(DatabaseSettings, EncryptionSettings):
    """Settings of a process that starts runs."""

    max_lead_seconds: float = Field(
        default=300, ge=0, description="Seconds that a run may wake before its time at most, to spread a herd."
    )


class WorkerSettings(RunSettings, SystemDatabaseSettings):
    """Settings of `worker.py`."""

    worker_metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the worker's /metrics; 0 serves none."
    )
    worker_drain_seconds: float = Field(
        default=30, gt=0, description="Seconds that SIGTERM waits for the steps in flight; longer than any step."
    )
    worker_cached_runs: int = Field(
        default=1000, ge=1, description="Runs that the worker keeps in memory; one needs about 100 kB."
    )
    temporal_worker_build_id: str = Field(
        default="", description="Name of this build in Temporal's worker versioning; empty: no versions."
    )
    temporal_deployment_name: str = Field(
        default="scheduled-activities", description="Deployment in Temporal that the builds belong to."
    )
    reconcile_every_seconds: float = Field(
        default=60, ge=1, description="Seconds between two rounds of reconciliation."
    )


class ApiSettings(RunSettings):
    """Settings of `api/main.py`."""

    api_port: int = Field(default=8000, ge=0, le=65535, description="Port of the API.")
    temporal_ui_url: str = Field(
        default="http://localhost:8233", description="Base URL of links to a run in the web UI."
    )
    codec_allowed_origin: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#*]+$",
        description="Origin of Temporal's web UI, such as https://temporal.example: its pages, and no others, may have"
        " payloads decoded by `/codec`.",
    )
    auth_issuer: str = Field(description="The `iss` every token must carry.")
    auth_audience: str = Field(description="The `aud` every token must carry.")
    auth_jwks_url: str | None = Field(
        default=None, description="URL at which the issuer publishes its keys; https, or http on this machine."
    )
    auth_jwks_stale_seconds: float = Field(
        default=6 * 3600,
        ge=0,
        description="Seconds for which the issuer's keys are used beyond their ten minutes while it can't be reached.",
    )
    auth_public_key: str | None = Field(default=None, description="One public key in PEM, instead of a JWKS URL.")
    development_key_folder: Path | None = Field(
        default=None,
        description="Folder with the `public.pem` of `embedded/development_key.py`; read with APP_ENV=development, and"
        " only if neither AUTH_JWKS_URL nor AUTH_PUBLIC_KEY is set.",
    )
    answer_deadline_seconds: float = Field(
        default=10, gt=0, description="Seconds that a request waits for its workflow before it answers 202 or 503."
    )
    cors_allow_origins: str = Field(
        default="",
        description="Origins, with commas between them, whose pages may use the API in a browser; `*` is every origin.",
    )
    rate_limit_storage_uri: SecretStr = Field(
        default=SecretStr("async+memory://"),
        description="Store of the counts of requests and items, as the library `limits` names it; by default the memory"
        " of each process.",
    )

    @property
    def origins(self) -> list[str]:
        """Return the origins whose pages may use the API."""
        return [origin.strip() for origin in self.cors_allow_origins.split(",") if origin.strip()]

    @model_validator(mode="before")
    @classmethod
    def read_development_key(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Take the public key that compose has made, in development and without another source of keys."""
        is_trusted = trusts_development_key(*map(values.get, ("app_env", "auth_jwks_url", "auth_public_key")))
        if not is_trusted or "development_key_folder" not in values:
            return values
        published = Path(values["development_key_folder"]) / DEVELOPMENT_KEY_FILE
        return values | {"auth_public_key": published.read_text()} if published.is_file() else values

    @model_validator(mode="after")
    def check_source_of_keys(self) -> Self:
        """Require exactly one source of the keys that verify tokens."""
        if (self.auth_jwks_url is None) == (self.auth_public_key is None):
            msg = "set exactly one of AUTH_JWKS_URL and AUTH_PUBLIC_KEY"
            raise ValueError(msg)
        return self
