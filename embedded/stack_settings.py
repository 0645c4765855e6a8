"""Read the stack's settings from the environment, and check that its ports are free."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from embedded.processes import StackError
from embedded.temporal_server import LOOPBACK, free_port, port_is_taken

Port = Annotated[int, Field(ge=1, le=65535)]


class StackSettings(BaseSettings):
    """The environment variables that let two stacks run side by side."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    api_port: Port = 8000
    temporal_port: Port = 7233
    temporal_ui_port: Port = 8233
    worker_metrics_port: int = Field(default=0, ge=0, le=65535, validate_default=True)
    data_dir: Path = Field(default=Path(".embedded"), description="The folder of all data; delete it to start anew.")

    @field_validator("worker_metrics_port")
    @classmethod
    def _choose_port(cls, port: int, others: ValidationInfo) -> int:
        """Choose a free port if none is set, other than the ports of the other parts."""
        if port:
            return port
        while (port := free_port()) in others.data.values():
            pass
        return port

    def ports(self) -> dict[str, int]:
        """Return each port by the name of its variable."""
        return {
            "API_PORT": self.api_port,
            "TEMPORAL_PORT": self.temporal_port,
            "TEMPORAL_UI_PORT": self.temporal_ui_port,
            "WORKER_METRICS_PORT": self.worker_metrics_port,
        }

    @property
    def api_url(self) -> str:
        """Return the API's URL; it listens on the loopback interface only."""
        return f"http://{LOOPBACK}:{self.api_port}"


def check_ports(settings: StackSettings) -> None:
    """Check that all ports are free and different.

    Raises:
        StackError: ports are taken; the message names the variables to set.

    """
    ports = settings.ports()
    taken = [
        variable
        for place, (variable, port) in enumerate(ports.items())
        if port in list(ports.values())[:place] or port_is_taken(port)
    ]
    if taken:
        faults = "; ".join(f"port {ports[variable]} is taken: set {variable} to a free one" for variable in taken)
        msg = f"{faults}, such as {taken[0]}={free_port()}"
        raise StackError(msg)
