"""Write, read and print the variables of the running stack, and run a program with them: `make env`."""

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from api.http.auth import DeploymentPermission, Permission
from embedded.demo_ids import COMMERCE_ID, OTHER_TENANT_ID, TENANT_ID
from embedded.signing_key import SigningKey, write_private_file
from embedded.stack_settings import StackSettings
from embedded.temporal_server import TemporalServer
from settings import read_settings

_TOKEN_LIFETIME = timedelta(days=1)


def stack_variables(
    settings: StackSettings, key: SigningKey, temporal: TemporalServer, of_worker: Mapping[str, str]
) -> dict[str, str]:
    """Return the stack's addresses, the demonstration's ids, and tokens of one day, by the names of variables.

    The URLs of PostgreSQL are those of the worker, as operators' commands need them.
    """
    everything = list(Permission)
    return {
        "API_URL": settings.api_url,
        "TENANT_ID": str(TENANT_ID),
        "COMMERCE_ID": str(COMMERCE_ID),
        "TOKEN": key.token("demo", {TENANT_ID: everything}, _TOKEN_LIFETIME, deployment=list(DeploymentPermission)),
        **of_worker,
        "TEMPORAL_ADDRESS": temporal.address,
        "TEMPORAL_UI_URL": temporal.ui_url or "",
        "VIEWER_TOKEN": key.token("demo-viewer", {TENANT_ID: [Permission.VIEW_ACTIVITIES]}, _TOKEN_LIFETIME),
        "OTHER_TENANT_ID": str(OTHER_TENANT_ID),
        "OTHER_TENANT_TOKEN": key.token("demo-other-tenant", {OTHER_TENANT_ID: everything}, _TOKEN_LIFETIME),
    }


@contextmanager
def published_variables(path: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """Write `demo.json` at once, readable by its owner only, and remove it when the block ends."""
    write_private_file(path, json.dumps(dict(variables), indent=2).encode() + b"\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_stack() -> dict[str, str]:
    """Read `demo.json` of the running stack, or exit with a line that says how to start one."""
    path = _demo_json()
    try:
        variables: dict[str, str] = json.loads(path.read_text())
    except OSError:
        sys.exit(f"{path} is not there: start the stack first, with make run, and wait until it is ready")
    return variables


def _demo_json() -> Path:
    return read_settings(StackSettings).data_dir / "demo.json"


def main(command: Sequence[str]) -> None:
    """Print the variables as `export` lines, or run a Python program with those that the environment doesn't set.

    Without a running stack the program runs with the environment alone.
    """
    if not command:
        for name, value in running_stack().items():
            print(f"export {name}={shlex.quote(value)}")
        return
    variables = running_stack() if _demo_json().exists() else {}
    os.execve(sys.executable, [sys.executable, *command], variables | os.environ)  # noqa: S606 - it replaces this process


if __name__ == "__main__":
    main(sys.argv[1:])
