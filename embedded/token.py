"""Print a token that the running stack accepts: `make token ARGS="--permissions VIEW_ACTIVITIES --lifetime 15m"`."""

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from api.http.auth import DeploymentPermission, Permission
from embedded.demo_ids import TENANT_ID
from embedded.signing_key import load_signing_key
from embedded.stack_settings import StackSettings
from settings import read_settings

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_lifetime(text: str) -> timedelta:
    """Parse `90s`, `15m`, `24h` or `7d`; a negative lifetime makes a token that has expired."""
    match = re.fullmatch(r"(-?\d{1,6})([smhd])", text)
    if match is None:
        msg = f"{text!r} is no lifetime: write 90s, 15m, 24h or 7d"
        raise argparse.ArgumentTypeError(msg)
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def parse_permissions(text: str) -> list[Permission]:
    """Parse names of permissions separated by commas."""
    try:
        return [Permission(name.strip()) for name in text.split(",") if name.strip()]
    except ValueError as error:
        msg = f"{error}; the permissions are {', '.join(Permission)}"
        raise argparse.ArgumentTypeError(msg) from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one token and nothing else, so that `$(make -s token)` works."""
    parser = argparse.ArgumentParser(prog="token", description=__doc__)
    parser.add_argument("--tenant", type=UUID, default=TENANT_ID, help="default: the demonstration tenant")
    parser.add_argument("--permissions", type=parse_permissions, default=list(Permission), help="default: all of them")
    parser.add_argument("--decode-payloads", action="store_true", help="add the deployment's DECODE_PAYLOADS")
    parser.add_argument("--lifetime", type=parse_lifetime, default=timedelta(days=1), help="default: 24h")
    parser.add_argument("--subject", default="demo", help="the actor that the trail shows; default: demo")
    options = parser.parse_args(arguments)
    folder = read_settings(StackSettings).data_dir
    try:
        key = load_signing_key(folder)
    except FileNotFoundError:
        sys.exit(f"There is no key in {folder} yet: start the stack first, with make run")
    deployment = [DeploymentPermission.DECODE_PAYLOADS] if options.decode_payloads else []
    tenants = {options.tenant: options.permissions}
    print(key.token(options.subject, tenants, options.lifetime, deployment=deployment))


if __name__ == "__main__":
    main()
