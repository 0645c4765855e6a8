"""Everything a deployment can set, read from the environment once by each process.

Temporal's own connection (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`) is read by
`temporalio.envconfig`, the convention of its ecosystem, not here.
"""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """What every process reads: where PostgreSQL is."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, hide_input_in_errors=True)

    database_url: SecretStr = Field(description="postgresql+psycopg://user:password@host:port/database")
    listen_host: str = Field(default="127.0.0.1", description="Where HTTP is listened on; 0.0.0.0 in a container.")
    database_pool_size: int = Field(default=20, ge=1, description="Connections one process keeps open, at most.")


class WorkerSettings(DatabaseSettings):
    """What `worker.py` reads."""

    worker_metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the worker's /metrics; 0 serves none."
    )
    worker_drain_seconds: float = Field(
        default=30, gt=0, description="How long SIGTERM waits for the steps in flight; longer than any single step."
    )
    worker_build_id: str = Field(
        default="", description="Names this build to Temporal's worker versioning; empty: a worker without versions."
    )
    worker_deployment_name: str = Field(default="scheduled-activities", description="Whose builds follow one another.")
    reconcile_every_seconds: float = Field(
        default=60, ge=1, description="How often open rows are compared with open runs."
    )
    max_lead_seconds: float = Field(default=300, ge=0, description="As the API's, for runs that are started again.")


class ApiSettings(DatabaseSettings):
    """What `api/main.py` reads."""

    api_port: int = Field(default=8000, ge=0, le=65535, description="Where HTTP is served.")
    temporal_ui_url: str = Field(default="http://localhost:8233", description="Base of links to a run in the web UI.")
    auth_issuer: str = Field(description="The `iss` every token must carry.")
    auth_audience: str = Field(description="The `aud` every token must carry.")
    auth_jwks_url: str | None = Field(default=None, description="Where the issuer publishes its keys.")
    auth_public_key: str | None = Field(default=None, description="One public key in PEM, instead of a JWKS URL.")
    answer_deadline_seconds: float = Field(
        default=10, gt=0, description="How long a request waits for its workflow before it answers 202 or 503."
    )
    max_lead_seconds: float = Field(
        default=300, ge=0, description="How early, at most, a run may wake to spread a herd of equal times."
    )

    @model_validator(mode="after")
    def one_source_of_keys(self) -> Self:
        """Without a key no token could be verified; with two, nobody would know which one counts."""
        if (self.auth_jwks_url is None) == (self.auth_public_key is None):
            msg = "set exactly one of AUTH_JWKS_URL and AUTH_PUBLIC_KEY"
            raise ValueError(msg)
        return self
