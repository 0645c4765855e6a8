"""Show the command line on the running stack: an activity becomes due and is executed: `make demo`."""

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from embedded.environment import running_stack

_ROOT = Path(__file__).parents[1]
_EXECUTOR = _ROOT / "examples" / "executor.py"
_COMMAND_LINE = (sys.executable, "-m", "activities_client.cli")


def main() -> None:
    """Create the contract's example, due in three seconds, have it executed, and show its trail and its run."""
    environment = {name: value for name, value in os.environ.items() if name != "API_KEY"} | running_stack()
    environment["PYTHONPATH"] = str(_ROOT / "clients" / "python")
    key = f"msg-{datetime.now(UTC):%Y-%m-%d}-{token_hex(4)}"
    _show(environment, "create", "--at", "+3s", "--attribute", "commerce_info", "--key", key, "--watch")
    print("\n$ make executor ARGS=--once", flush=True)
    while _read_status(environment, key) == "DUE":  # another executor may have claimed it first
        subprocess.run([sys.executable, _EXECUTOR, "--once"], env=environment, check=True)
    _show(environment, "get", key, "--trail")


def _show(environment: dict[str, str], *arguments: str) -> None:
    """Print a command, then run it; exit if it fails."""
    print(f"\n$ activities {shlex.join(arguments)}", flush=True)
    ended = subprocess.run([*_COMMAND_LINE, *arguments], env=environment, check=False)
    if ended.returncode != 0:
        sys.exit(ended.returncode)


def _read_status(environment: dict[str, str], key: str) -> str:
    command = [*_COMMAND_LINE, "get", key, "--json"]
    read = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    status: str = json.loads(read)["status"]
    return status


if __name__ == "__main__":
    main()
