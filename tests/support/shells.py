"""Run blocks of shell as an operator does. Their `python` is forked as other programs of the tests are."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.programs import run_program
from tests.support.started_stacks import ROOT

PROGRAMS = Path(sys.executable).parent
ASK = f"""#!{sys.executable} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect(sys.argv[0] + ".socket")
    asked.sendall(json.dumps([sys.argv[1:], dict(os.environ)]).encode() + b"\\n")
    code, output, errors = json.load(asked.makefile())
print(errors, end="", file=sys.stderr)
print(output, end="")
sys.exit(code)
"""


async def run_in_shell(block: str, variables: Mapping[str, str]) -> str:
    """Run a block and return what it writes; each of its commands must succeed."""
    with TemporaryDirectory() as folder:
        python = Path(folder) / "python"
        python.write_text(ASK)
        python.chmod(0o700)
        async with await asyncio.start_unix_server(_run, f"{python}.socket", limit=2**20):
            bash = await asyncio.create_subprocess_exec(
                *("bash", "-euo", "pipefail", "-c", block),
                cwd=ROOT,
                env={**variables, "PATH": f"{folder}:{PROGRAMS}:{os.environ['PATH']}"},
                stdout=PIPE,
                stderr=STDOUT,
            )
            said, _ = await bash.communicate()
    assert bash.returncode == 0, f"{block}\n{said.decode()}"
    return said.decode()


async def _run(asked: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
    """Run the program for the process that asks."""
    command, environment = json.loads(await asked.readline())
    ended = await asyncio.to_thread(run_program, *command, environment=environment)
    answer.write(json.dumps([ended.returncode, ended.stdout, ended.stderr]).encode())
    answer.close()
