"""The address and the credentials: of the environment, or of the stack that runs in this folder."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from activities_client.cli.command_error import CommandError
from activities_client.connection import connect
from activities_client.generated.client import AuthenticatedClient


def read_variables(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment if it names the API, else with what it lacks from `demo.json` of the running stack.

    A token of `demo.json` is never sent to an address of the environment.
    """
    demo = Path(environment.get("DATA_DIR") or ".embedded") / "demo.json"
    if environment.get("API_URL") or not demo.exists():
        return environment
    variables: dict[str, str] = json.loads(demo.read_text())
    return {**variables, **environment}


def default_commerce() -> UUID:
    """Return the commerce of `COMMERCE_ID`.

    Raises:
        CommandError: it isn't set to a UUID, and no stack runs in this folder.

    """
    try:
        return UUID(read_variables(os.environ).get("COMMERCE_ID"))
    except (TypeError, ValueError) as failure:
        message = "Name the commerce by its UUID: --commerce, or COMMERCE_ID."
        raise CommandError(message) from failure


def open_client() -> AuthenticatedClient:
    """Connect as `API_URL`, `TOKEN` or `API_KEY`, and `TENANT_ID` say.

    Raises:
        CommandError: one of them is missing, and no stack runs in this folder; or one can't be sent.

    """
    variables = read_variables(os.environ)
    api_key = variables.get("API_KEY")
    needed = ("API_URL", *(("API_KEY",) if api_key else ("TOKEN", "TENANT_ID")))
    missing = [name for name in needed if not variables.get(name)]
    if missing:
        unread = (
            "demo.json isn't read if API_URL is"
            if variables.get("API_URL")
            else "there is no demo.json of a running stack"
        )
        message = (
            f"{', '.join(missing)} isn't set, and {unread}: set API_URL, TOKEN (or"
            " API_KEY) and TENANT_ID, or start the stack in this folder with make run."
        )
        raise CommandError(message)
    unsendable = [name for name in needed if not variables[name].isascii()]
    if unsendable:
        message = f"{', '.join(unsendable)} has a character outside ASCII: copy it anew."
        raise CommandError(message)
    tenant_id = variables.get("TENANT_ID") if not api_key else None
    return connect(
        variables["API_URL"], token=None if api_key else variables["TOKEN"], api_key=api_key, tenant_id=tenant_id
    )
