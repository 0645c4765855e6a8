"""What can be set about the stack from the environment, and whether its ports are free."""

import sys
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from embedded.stack_error import StackError
from embedded.temporal_server import LOOPBACK, free_port, port_is_taken

Port = Annotated[int, Field(ge=1, le=65535)]


class StackSettings(BaseSettings):
    """The variables that let two stacks run side by side."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    api_port: Port = 8000
    temporal_port: Port = 7233
    temporal_ui_port: Port = 8233
    worker_metrics_port: int = Field(default=0, ge=0, le=65535, validate_default=True)
    data_dir: Path = Field(default=Path(".embedded"), description="All that the stack keeps; delete it to start anew.")

    @field_validator("worker_metrics_port")
    @classmethod
    def _chosen(cls, port: int, others: ValidationInfo) -> int:
        """Choose one where none is set, and none that another part is going to use."""
        if port:
            return port
        while (port := free_port()) in others.data.values():
            pass
        return port

    def ports(self) -> dict[str, int]:
        """Name each port by its variable."""
        return {
            "API_PORT": self.api_port,
            "TEMPORAL_PORT": self.temporal_port,
            "TEMPORAL_UI_PORT": self.temporal_ui_port,
            "WORKER_METRICS_PORT": self.worker_metrics_port,
        }

    @property
    def api_url(self) -> str:
        """The API as seen from this machine, the only one that reaches it."""
        return f"http://{LOOPBACK}:{self.api_port}"


def read_settings() -> StackSettings:
    """Read the environment, or end with a line that says what is wrong with it."""
    try:
        return StackSettings()
    except ValidationError as error:
        sys.exit("; ".join(f"{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()))


def refuse_taken_ports(settings: StackSettings) -> None:
    """Make sure that everybody gets a port of their own.

    Raises:
        StackError: says which ports are taken, and what to set.

    """
    ports = settings.ports()
    taken = [
        variable
        for place, (variable, port) in enumerate(ports.items())
        if port in list(ports.values())[:place] or port_is_taken(port)
    ]
    if taken:
        faults = "; ".join(f"port {ports[variable]} is taken: set {variable} to another one" for variable in taken)
        msg = f"{faults}, such as {taken[0]}={free_port()}"
        raise StackError(msg)
