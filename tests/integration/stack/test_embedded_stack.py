"""Test `make run` as its users start it: one process that starts everything and leaves nothing behind."""

# ruff: noqa: S603 - the program is ours

import os
import shlex
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.support.builders import contract_example
from tests.support.encryption import NEW_KEY, find_words
from tests.support.programs import run_program
from tests.support.started_stacks import PATIENCE_SECONDS, ROOT, STACK, Stack, running, some_ports, wait_until

ENVIRONMENT = (sys.executable, "-m", "embedded.environment")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("stack") / "data") as started:
        started.ready()
        yield started


def exported(stack: Stack) -> dict[str, str]:
    """Return what a shell has after `eval "$(make env)"`."""
    stack.ready()
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(stack.folder)}
    script = f'eval "$({shlex.join(ENVIRONMENT)})"; env -0'
    printed = subprocess.run(["/bin/sh", "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True)
    return dict(line.decode().split("=", 1) for line in printed.stdout.split(b"\0") if line)


def create(stack: Stack) -> httpx.Response:
    """Send the request of the README's curl with the variables that the stack prints."""
    variables = exported(stack)
    return httpx.post(
        f"{variables['API_URL']}/api/activities",
        headers={"Authorization": f"Bearer {variables['TOKEN']}", "x-tenant-id": variables["TENANT_ID"]},
        json=contract_example(commerce_id=variables["COMMERCE_ID"]),
        timeout=60,
    )


def get(facts: dict[str, str], path: str, bearer: str = "TOKEN", tenant: str = "TENANT_ID") -> httpx.Response:
    headers = {"Authorization": f"Bearer {facts[bearer]}", "x-tenant-id": facts[tenant]}
    return httpx.get(f"{facts['API_URL']}{path}", headers=headers, timeout=60)


def test_the_printed_variables_create_the_activity_of_the_contract_which_becomes_due(stack: Stack) -> None:
    answer = create(stack)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    assert created["reason"] == {"code": "monthly_promotion", "label": "Promocion Mensual"}
    assert created["status"] == "READY"

    facts = stack.ready()
    wait_until(lambda: get(facts, f"/api/activities/{created['id']}").json()["status"] == "DUE")
    assert get(facts, f"/api/activities/{created['id']}", bearer="VIEWER_TOKEN").status_code == 200
    assert get(facts, f"/api/activities/{created['id']}", bearer="OTHER_TENANT_TOKEN").status_code == 403
    other = get(facts, f"/api/activities/{created['id']}", bearer="OTHER_TENANT_TOKEN", tenant="OTHER_TENANT_ID")
    assert other.status_code == 404


def test_the_demonstration_shows_an_activity_becoming_due(stack: Stack) -> None:
    environment = os.environ | {"DATA_DIR": str(stack.folder)}
    command = [sys.executable, "-m", "embedded.demo"]
    demo = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert demo.index("  READY\n") < demo.index("  DUE\n") < demo.index(" ms late")
    assert stack.ready()["TEMPORAL_UI_URL"] in demo
    assert ": Promocion Mensual\n" in demo
    assert " DUE → DISPATCHED" in demo
    assert " DISPATCHED → COMPLETED" in demo


def test_the_printed_addresses_are_those_of_its_databases(stack: Stack) -> None:
    variables = exported(stack)
    for name, commerces in (("SYSTEM_DATABASE_URL", 2), ("DATABASE_URL", 0)):
        with psycopg.connect(variables[name].replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT count(*) FROM commerces").fetchone() == (commerces,)
    command = [sys.executable, "-m", "embedded.environment", "operate.py", "replay", "--limit", "5"]
    environment = os.environ | {"DATA_DIR": str(stack.folder)}
    environment.pop("TEMPORAL_ADDRESS", None)
    replayed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (replayed.returncode, replayed.stdout.endswith(" runs replayed, 0 would break\n")) == (0, True), replayed


def test_the_executor_works_by_one_command(stack: Stack) -> None:
    created = create(stack).json()
    command = [*ENVIRONMENT, "examples/executor.py", "--once"]
    environment = os.environ | {"DATA_DIR": str(stack.folder)}
    worked = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert ": Promocion Mensual\n" in worked
    assert get(stack.ready(), f"/api/activities/{created['id']}").json()["status"] == "COMPLETED"


def test_a_token_has_the_permissions_that_were_asked_for(stack: Stack) -> None:
    command = [sys.executable, "-m", "embedded.token", "--permissions", "CREATE_ACTIVITY", "--lifetime", "5m"]
    environment = os.environ | {"DATA_DIR": str(stack.folder)}
    token = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    refused = get(
        stack.ready() | {"mine": token.strip()}, f"/api/activities/{'0' * 8}-0000-4000-8000-{'0' * 12}", "mine"
    )
    assert refused.status_code == 403
    assert "VIEW_ACTIVITIES" in refused.text


def test_the_log_lines_of_the_processes_are_told_apart(stack: Stack) -> None:
    before_ready = stack.log.read_text().split("\n\n")[0].splitlines()
    assert {line.split(" │ ")[0].strip() for line in before_ready} >= {"postgres", "temporal", "worker", "api"}


def refusal(folder: Path | str, ports: Mapping[str, str]) -> str:
    """Start a stack that can't start, and return the one line that it writes."""
    refused = run_program("embedded/stack.py", environment=os.environ | ports | {"DATA_DIR": str(folder)})
    assert (refused.returncode, refused.stderr) == (1, "")
    (line,) = refused.stdout.splitlines()
    return line


@pytest.mark.parametrize("folder", ["/proc/nothing", "/etc/hostname"])
def test_a_folder_that_cannot_be_one_is_said_in_one_line_with_its_variable(folder: str) -> None:
    line = refusal(folder, some_ports())
    assert "DATA_DIR" in line
    assert folder in line


@pytest.mark.parametrize(
    ("program", "missing"),
    [
        ("worker.py", "DATABASE_URL isn't set"),
        ("api/main.py", "DATABASE_URL isn't set; AUTH_ISSUER isn't set; AUTH_AUDIENCE isn't set"),
        ("embedded/environment.py", "nowhere/demo.json is not there: start the stack first"),
        ("examples/executor.py", "API_URL, TOKEN, TENANT_ID isn't set"),
    ],
)
def test_what_a_program_lacks_is_said_in_one_line(program: str, missing: str) -> None:
    refused = run_program(program, environment={"DATA_DIR": "nowhere"})
    assert (refused.returncode, refused.stdout) == (1, "")
    (line,) = refused.stderr.splitlines()
    assert missing in line


def test_taken_ports_are_said_in_one_line_with_their_variables(stack: Stack, tmp_path: Path) -> None:
    line = refusal(tmp_path / "data", stack.variables)
    for variable in ("API_PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT"):
        assert f"port {stack.variables[variable]} is taken: set {variable}" in line


def test_two_stacks_cannot_share_a_folder(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(stack.folder)
    assert "DATA_DIR" in refusal(tmp_path / "data", some_ports())
    assert stack.ready()


def test_an_encrypting_stack_goes_on_where_it_was_and_leaves_nothing_running_when_it_or_its_make_is_ended(
    tmp_path: Path,
) -> None:
    """Each other stack here is killed by SIGKILL at its test's end, and leaves nothing either: see `running`."""
    with running(tmp_path / "data", PAYLOAD_ENCRYPTION_KEYS=NEW_KEY) as first:
        before = first.ready()
        answer = create(first)
        assert answer.status_code == 201, answer.text
        created = answer.json()
        bearer = {"Authorization": f"Bearer {before['TOKEN']}"}
        encoded = httpx.post(f"{before['API_URL']}/codec/encode", headers=bearer, json={"payloads": [{}]}, timeout=60)
        assert encoded.json()["payloads"][0]["metadata"]["encryption-key-id"] == b64encode(b"new2").decode()
        settings = httpx.get(f"{before['TEMPORAL_UI_URL']}/api/v1/settings", timeout=60)
        assert f"{before['API_URL']}/codec" in settings.text
        assert len(first.process_ids()) > len(("stack", "postgres", "temporal", "worker", "api"))
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(PATIENCE_SECONDS) == 0
        wait_until(lambda: not first.process_ids())
        assert not first.demo_json.exists()
    found = find_words(first.folder / "temporal", ["Monthly promotion", created["idempotencyKey"]])
    assert set(found) == {created["idempotencyKey"]}

    make = ("/bin/sh", "-c", f"{shlex.join(STACK)} --stop-with-parent; :")
    with running(tmp_path / "data", make, PAYLOAD_ENCRYPTION_KEYS=NEW_KEY) as second:
        after = second.ready()
        activity = get(after | {"old": before["TOKEN"]}, f"/api/activities/{created['id']}", bearer="old")
        assert activity.json()["id"] == created["id"]
        second.process.kill()
        second.process.wait()
        wait_until(lambda: not second.process_ids())
        assert not second.demo_json.exists()


def test_a_part_that_dies_takes_the_stack_with_it_and_is_named(stack: Stack) -> None:
    """The last test of the shared stack."""
    stack.ready()
    worker = next(
        number
        for number in stack.process_ids()
        if Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")[1:2] == [b"worker.py"]
    )
    os.kill(worker, signal.SIGKILL)
    assert stack.process.wait(PATIENCE_SECONDS) == 1
    assert "worker has ended by SIGKILL" in stack.log.read_text()
    wait_until(lambda: not stack.process_ids())
