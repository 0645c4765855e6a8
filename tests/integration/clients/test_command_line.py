"""Test the command line `activities` as a process, against the real service."""

import asyncio
import csv
import json
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.http.auth import Permission
from tests.support.builders import COMMERCE_ID, Tenant, contract_example, from_now
from tests.support.programs import run_program
from tests.support.service import KEY, Service, until
from tests.support.started_stacks import ROOT
from tests.support.tcp import cutting_proxy

COMMAND_LINE = "clients/python/activities_client/cli/__main__.py"
LATER = "2035-01-16T09:00:00+00:00"


async def run(variables: dict[str, str], *arguments: str | Path, cwd: Path = ROOT) -> CompletedProcess[str]:
    command = (COMMAND_LINE, *map(str, arguments))
    environment = {"COLUMNS": "200"} | variables
    return await asyncio.to_thread(run_program, *command, environment=environment, folder=cwd, strict=True)


@pytest.fixture
def variables(service: Service, tenant: Tenant) -> dict[str, str]:
    """The variables of `make env`."""
    token = KEY.token("operator", {tenant.id: tuple(Permission)}, timedelta(hours=1))
    return {
        "API_URL": service.url,
        "TOKEN": token,
        "TENANT_ID": str(tenant.id),
        "COMMERCE_ID": str(COMMERCE_ID),
    }


async def create(variables: dict[str, str], *options: str, at: str = LATER) -> dict[str, Any]:
    ended = await run(variables, "create", "--at", at, "--json", *options)
    assert (ended.returncode, ended.stderr) == (0, "")
    created: dict[str, Any] = json.loads(ended.stdout)
    return created


async def test_an_activity_is_created_shown_and_listed(variables: dict[str, str]) -> None:
    key = f"key-{uuid4()}"
    ended = await run(variables, "create", "--at", LATER, "--key", key, "--attribute", "commerce_info", "--score", "7")
    assert ended.returncode == 0
    for shown in (key, "READY", "MESSAGE by WHATSAPP, Promocion Mensual", "commerce_info: RESOLVED"):
        assert shown in ended.stdout
    repeated = await create(variables, "--key", key, "--attribute", "commerce_info", "--score", "7")
    other = await create(variables, "--channel", "EMAIL", "--key", str(uuid4()))
    assert json.loads((await run(variables, "get", other["idempotencyKey"], "--json")).stdout)["id"] == other["id"]
    for name in (key, repeated["id"]):
        assert (await run(variables, "get", name, "--trail")).stdout.startswith(f"id         {repeated['id']}\n")
    listed = await run(variables, "list")
    assert [row.split()[0] for row in listed.stdout.splitlines()] == ["id", other["id"], repeated["id"]]
    filtered = await run(variables, "list", "--json", "--status", "READY", "--channel", "EMAIL", "--from", "now")
    assert [json.loads(line)["id"] for line in filtered.stdout.splitlines()] == [other["id"]]
    assert len((await run(variables, "list", "--json", "--limit", "1")).stdout.splitlines()) == 1


async def test_a_problem_is_shown_with_its_fields_and_ends_with_1(variables: dict[str, str]) -> None:
    refused = await run(variables, "create", "--at", LATER, "--reason", "No such reason")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("400 unknown_reason: ")
    unnamed = await run(variables, "create", "--at", LATER, "--key", "k" * 500)
    assert (unnamed.returncode, "/idempotency_key: " in unnamed.stderr) == (1, True)
    missing = await run(variables, "get", "no-such-key")
    assert (missing.returncode, missing.stderr) == (2, "There is no activity with the id or the key no-such-key.\n")
    unread = await run(variables, "create", "--at", "tomorrow")
    assert (unread.returncode, "tomorrow" in unread.stderr) == (2, True)


async def test_an_activity_is_moved_watched_and_cancelled(variables: dict[str, str]) -> None:
    created = await create(variables)
    moved = await run(variables, "move", created["id"], "--to", "now", "--reason", "It is urgent")
    assert moved.returncode == 0, moved.stderr
    watched = await run(variables, "watch", created["id"], "--every", "0.1")
    assert (watched.returncode, watched.stdout.splitlines()[-2].endswith("  DUE")) == (0, True)
    assert " late" in watched.stdout.splitlines()[-1]
    other = await create(variables)
    cancelled = await run(variables, "cancel", other["idempotencyKey"], "--reason", "Sold out")
    assert (cancelled.returncode, "CANCELED" in cancelled.stdout) == (0, True)
    stopped = await run(variables, "watch", other["id"])
    assert (stopped.returncode, stopped.stdout.strip().endswith("CANCELED")) == (1, True)
    trail = await run(variables, "get", other["id"], "--trail")
    assert "READY → CANCELED" in trail.stdout
    again = await run(variables, "move", other["id"], "--to", LATER)
    assert (again.returncode, again.stderr.startswith("409 wrong_status")) == (1, True)


async def test_a_pause_of_the_tenant_is_shown(variables: dict[str, str], http: httpx.AsyncClient) -> None:
    await http.put("/api/activity-config/pause", json={"paused": True, "reason": "Wrong prices"})
    created = (await http.post("/api/activities", json=contract_example())).json()
    async with asyncio.timeout(60):
        while (await http.get(f"/api/activities/{created['id']}")).json()["heldSince"] is None:
            await asyncio.sleep(0.05)
    assert ": the tenant is paused\n" in (await run(variables, "get", created["id"])).stdout
    watching = asyncio.create_task(run(variables, "watch", created["id"], "--every", "0.1"))
    await http.put("/api/activity-config/pause", json={"paused": False})
    assert (await watching).returncode == 0


async def test_an_id_is_never_cut_in_a_narrow_terminal(variables: dict[str, str]) -> None:
    created = await create(variables, "--key", "k" * 100)
    assert created["id"] in (await run(variables | {"COLUMNS": "60"}, "list")).stdout


async def test_a_creation_can_be_watched_until_it_is_due(variables: dict[str, str]) -> None:
    ended = await run(variables, "create", "--at", "+1s", "--watch")
    assert (ended.returncode, ended.stdout.splitlines()[-2].endswith("  DUE")) == (0, True)


async def test_an_end_is_waited_for_on_request(variables: dict[str, str], http: httpx.AsyncClient) -> None:
    created = await create(variables, at="now")
    watching = asyncio.create_task(run(variables, "watch", created["id"], "--done", "--every", "0.1"))
    await until(http, f"/api/activities/{created['id']}", "DUE")
    await http.post(f"/api/activities/{created['id']}/cancel", json={"reason": "Sold out"})
    ended = await watching
    assert (ended.returncode, "  CANCELED\n" in ended.stdout) == (1, True)


async def test_an_explanation_names_the_target_and_the_values(variables: dict[str, str]) -> None:
    created = await create(variables, "--attribute", "commerce_info")
    ended = await run(variables, "explain", created["id"])
    assert "reason: “Monthly promotion” is monthly_promotion, by CODE" in ended.stdout
    assert "target: The user was found by ROLE_MATCH, FALLBACK_COMMERCE_REP." in ended.stdout
    assert "fits and comes first" in ended.stdout
    assert "value commerce_info: RESOLVED, INTERNAL_SERVICE" in ended.stdout
    document = json.loads((await run(variables, "explain", created["id"], "--json")).stdout)
    assert document["activityId"] == created["id"]


async def test_late_activities_are_listed(variables: dict[str, str], http: httpx.AsyncClient) -> None:
    on_time = await create(variables)
    overdue = (await http.post("/api/activities", json=contract_example(scheduled_at=from_now(hours=-1)))).json()
    await until(http, f"/api/activities/{overdue['id']}", "DUE")
    listed = await run(variables, "late")
    assert (on_time["id"] in listed.stdout, listed.returncode) == (False, 0)
    columns = ["id", "status", "scheduled", "lateness", "channel", "reason", "key"]
    assert listed.stdout.splitlines()[0].split() == columns


def rows(*changes: dict[str, str]) -> list[dict[str, str]]:
    body = contract_example(scheduled_at=LATER, attribute_keys="commerce_info")
    return [{**body, "idempotency_key": f"row-{number}", "score": "", **one} for number, one in enumerate(changes)]


def write_csv(path: Path, lines: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


async def test_a_campaign_in_csv_is_imported_and_its_refused_lines_are_corrected(
    variables: dict[str, str], http: httpx.AsyncClient, tmp_path: Path
) -> None:
    campaign, refused = tmp_path / "campaign.csv", tmp_path / "campaign.refused.csv"
    write_csv(campaign, rows({}, {"channel": "FAX"}, {"score": "many"}, {"score": "5"}))
    first = await run(variables, "import", campaign)
    assert (first.returncode, first.stderr) == (1, "")
    assert first.stdout == f"2 created, 0 existing, 2 refused\nThe refused lines are in {refused}.\n"
    with refused.open(newline="") as file:
        lines = {line["idempotency_key"]: line for line in csv.DictReader(file)}
    assert lines["row-1"]["refusal"].startswith("line 3: 400 validation_failed: /channel: ")
    assert lines["row-2"]["refusal"].startswith("line 4: a cell is not JSON: ")
    corrected = [lines["row-1"] | {"channel": "SMS"}, lines["row-2"] | {"score": "9"}]
    write_csv(refused, corrected)
    second = await run(variables, "import", refused)
    assert (second.returncode, second.stdout) == (0, "2 created, 0 existing, 0 refused\n")
    listed = (await http.get("/api/activities", params={"search": "row-"})).json()["data"]
    assert {one["idempotencyKey"]: one["score"] for one in listed} == {
        "row-0": None,
        "row-1": None,
        "row-2": 9,
        "row-3": 5,
    }


async def test_an_import_that_was_cut_off_goes_on_by_the_keys(
    variables: dict[str, str], http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Within a run it sends again what has no answer; a run that was killed is repeated, and finds what exists."""
    campaign = tmp_path / "campaign.ndjson"
    bodies = [contract_example(scheduled_at=LATER, idempotency_key=f"line-{number}") for number in range(20)]
    lines = [json.dumps(body) for body in bodies]
    campaign.write_text("\n".join([*lines[:10], "", "no JSON", *lines[10:]]) + "\n")
    port = int(variables["API_URL"].rsplit(":", 1)[1])
    async with cutting_proxy(port, 5000, 0) as cut:
        first = await run(variables | {"API_URL": f"http://127.0.0.1:{cut}"}, "import", campaign)
    assert first.returncode == 1, first.stderr
    assert first.stdout.splitlines()[0].endswith(", 1 refused")
    assert (await http.get("/api/activities")).json()["meta"]["total"] == 20
    second = await run(variables, "import", campaign)
    assert second.stdout.splitlines()[0] == "0 created, 20 existing, 1 refused"
    (refused,) = (tmp_path / "campaign.refused.ndjson").read_text().splitlines()
    assert json.loads(refused) == {"line": "no JSON", "refusal": "line 12: this is not a JSON object"}


async def test_a_file_that_is_no_campaign_is_refused_before_anything_is_sent(
    variables: dict[str, str], tmp_path: Path
) -> None:
    wrong, binary = tmp_path / "wrong.csv", tmp_path / "binary.ndjson"
    wrong.write_text("kind,reason\nMESSAGE,x\n")
    binary.write_bytes(b"\xff\xfe\n")
    for path, said in ((wrong, "Unknown columns: ['kind']"), (binary, "isn't UTF-8")):
        ended = await run(variables, "import", path)
        assert (ended.returncode, said in ended.stderr) == (2, True), ended
    assert (await run(variables, "import", tmp_path / "absent.csv")).returncode == 2


async def test_the_credentials_are_those_of_the_environment_or_of_the_running_stack(
    variables: dict[str, str], http: httpx.AsyncClient, tmp_path: Path
) -> None:
    nothing = await run({}, "list", cwd=tmp_path)
    assert nothing.returncode == 2
    assert nothing.stderr.startswith(
        "API_URL, TOKEN, TENANT_ID isn't set, and there is no demo.json of a running stack:"
    )
    (tmp_path / ".embedded").mkdir()
    (tmp_path / ".embedded" / "demo.json").write_text(json.dumps(variables))
    assert (await run({}, "create", "--at", LATER, cwd=tmp_path)).returncode == 0
    elsewhere = await run({"API_URL": "http://127.0.0.1:9"}, "list", cwd=tmp_path)
    assert (elsewhere.returncode, elsewhere.stderr[:27]) == (2, "TOKEN, TENANT_ID isn't set,")
    wanted = {"name": "cli", "permissions": ["VIEW_ACTIVITIES"]}
    key = (await http.post("/api/api-keys", json=wanted)).json()["plaintextKey"]
    assert (await run({"API_KEY": key}, "list", cwd=tmp_path)).returncode == 0
    refused = await run({"API_KEY": key}, "create", "--at", LATER, cwd=tmp_path)
    assert (refused.returncode, refused.stderr.startswith("403 ")) == (1, True)


async def test_an_api_that_is_away_ends_with_2(variables: dict[str, str], tmp_path: Path) -> None:
    for url, said in (("http://127.0.0.1:9", "No answer from the API: "), ("http://[::1", "API_URL isn't a URL: ")):
        ended = await run(variables | {"API_URL": url}, "list", cwd=tmp_path)
        assert (ended.returncode, ended.stderr.startswith(said)) == (2, True)
