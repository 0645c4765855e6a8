"""Test what `cp .env.example .env && docker compose up` starts: its token, and what is refused elsewhere."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from api.main import create_authenticator
from embedded.demo_ids import TENANT_ID
from settings import ApiSettings, WorkerSettings
from tests.support.programs import run_program
from tests.unit.test_compose import REQUIRED, ROOT, compose, give

EXAMPLE = ROOT / ".env.example"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, dict[str, str]]:
    """Return the environment of each service that the example starts, with a folder of this machine as the volume."""
    configured = compose("--format", "json", env_file=EXAMPLE)
    assert configured.returncode == 0, configured.stderr
    services = json.loads(configured.stdout)["services"]
    given = {name: {**services[name]["environment"]} for name in ("development-key", "api", "worker")}
    for name in ("development-key", "api"):
        (volume,) = [one for one in services[name]["volumes"] if one["target"] == given[name]["DEVELOPMENT_KEY_FOLDER"]]
        assert (volume["source"], volume.get("read_only", False)) == ("development-key", name == "api")
        given[name]["DEVELOPMENT_KEY_FOLDER"] = str(tmp_path)
    return {
        name: {key: value for key, value in variables.items() if value is not None} for name, variables in given.items()
    }


def make_key(environment: dict[str, str]) -> str:
    """Run the service and return what it prints."""
    ran = run_program("embedded/development_key.py", environment=environment)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


async def test_the_example_prints_a_token_that_the_api_accepts_and_keeps_its_key_pair(
    environment: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = make_key(environment["development-key"])
    exported = dict(re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE))
    assert exported.keys() == {"API_URL", "TENANT_ID", "TOKEN"}
    give(environment["api"], ApiSettings, monkeypatch)
    token = await create_authenticator(ApiSettings()).verify(exported["TOKEN"])
    assert "CREATE_ACTIVITY" in token.tenants[TENANT_ID]
    make_key(environment["development-key"])
    assert (await create_authenticator(ApiSettings()).verify(exported["TOKEN"])).sub == "development"


def test_only_its_owner_can_read_the_key_pair(environment: dict[str, dict[str, str]], tmp_path: Path) -> None:
    make_key(environment["development-key"])
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize(
    "changed",
    [
        {"APP_ENV": ""},
        {"APP_ENV": "Development"},
        {"APP_ENV": "development "},
        {"APP_ENV": "production"},
        {"AUTH_JWKS_URL": "https://issuer.example/keys"},
        {"AUTH_PUBLIC_KEY": "-----BEGIN PUBLIC KEY-----"},
    ],
    ids=str,
)
def test_no_key_pair_is_made_in_any_other_case(
    changed: dict[str, str], environment: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    assert make_key(environment["development-key"] | changed) == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["", "production", "Development"])
def test_the_api_refuses_to_start_without_an_issuers_key_where_the_variable_is_anything_else(
    value: str, environment: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_key(environment["development-key"])
    own = {"APP_ENV": value, "PAYLOAD_ENCRYPTION_KEYS": REQUIRED["PAYLOAD_ENCRYPTION_KEYS"]}
    give(environment["api"] | own, ApiSettings, monkeypatch)
    with pytest.raises(ValueError, match="set exactly one of AUTH_JWKS_URL and AUTH_PUBLIC_KEY"):
        ApiSettings()


def test_an_issuers_key_takes_precedence_over_the_one_of_development(
    environment: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_key(environment["development-key"])
    give(environment["api"] | {"AUTH_JWKS_URL": "https://issuer.example/keys"}, ApiSettings, monkeypatch)
    assert ApiSettings().auth_public_key is None


@pytest.mark.parametrize(("process", "settings"), [("api", ApiSettings), ("worker", WorkerSettings)])
def test_the_public_payload_key_is_refused_outside_development(
    process: str,
    settings: type[ApiSettings | WorkerSettings],
    environment: dict[str, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issuer = {"AUTH_JWKS_URL": "https://issuer.example/keys"}
    give(environment[process] | issuer, settings, monkeypatch)
    assert settings().key_ring is not None
    give(environment[process] | issuer | {"APP_ENV": ""}, settings, monkeypatch)
    with pytest.raises(ValueError, match=r"PAYLOAD_ENCRYPTION_KEYS has the key `development` of \.env\.example"):
        settings()


def test_no_private_key_is_committed() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    begun = [
        name
        for name in files.stdout.splitlines()
        if re.search(rb"BEGIN [A-Z ]*PRIVATE KEY-----\n[\w+/]{20}", (ROOT / name).read_bytes())
    ]
    assert begun == []
