"""Test that the README's command works when pasted, and that its tree and its targets are complete."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from api.http.auth import Permission
from tests.support.builders import Tenant
from tests.support.service import KEY, Service

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl isn't installed")
async def test_the_curl_of_the_readme_creates_an_activity_when_pasted(service: Service, tenant: Tenant) -> None:
    (command,) = re.findall(r"```sh\n(curl .*?)```", README, re.DOTALL)
    token = KEY.token("reader", {tenant.id: tuple(Permission)}, timedelta(hours=1))
    environment = os.environ | {"API_URL": service.url, "TOKEN": token, "TENANT_ID": str(tenant.id)}
    pasted = await asyncio.create_subprocess_shell(
        f"curl() {{ command curl --silent --noproxy '*' \"$@\"; }}\n{command}", env=environment, stdout=subprocess.PIPE
    )
    answer = json.loads((await pasted.communicate())[0])
    assert (answer["status"], answer["reason"]["code"]) == ("READY", "monthly_promotion")


def test_the_tree_of_the_readme_names_every_folder_and_nothing_else() -> None:
    tree = README.split("## The tree")[1]
    listed = set(re.findall(r"`(\w+)/`", tree.split("`tests/`")[0] + "`tests/`" + tree.split("`tests/`")[1]))
    command = ["git", "ls-files"]
    tracked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603
    folders = {name.split("/")[0] for name in tracked.splitlines() if "/" in name and not name.startswith(".")}
    assert listed == folders


def test_every_target_of_make_is_in_the_readme() -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [target for target in targets if f"`make {target}`" not in README] == []
