"""Test the manifests of deploy/kubernetes/ against Kubernetes' schemas and against the processes that they run."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml  # type: ignore[import-untyped]

from settings import ApiSettings, WorkerSettings
from tests.support.document import DOCUMENT
from tests.unit.test_compose import OF_TRACES
from traces.start import is_wanted
from workflows.messages import ReplayGate
from workflows.replay_gate import ReplayGateWorkflow

Resource = dict[str, Any]
FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUBERNETES = "1.33"
OF_KUSTOMIZE = {"kustomization.yaml", "images.yaml"}
OF_OPERATORS = {
    ("keda.sh/v1alpha1", "ScaledObject"),
    ("temporal.io/v1alpha1", "Connection"),
    ("temporal.io/v1alpha1", "WorkerDeployment"),
}
"""The kinds that Kubernetes itself doesn't have, so that no schema of it describes them."""
OF_TEMPORALS_CLIENT = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}


def resources() -> Iterator[tuple[str, Resource]]:
    """List each resource with its name."""
    for path in sorted(FOLDER.rglob("*.yaml")):
        if path.name not in OF_KUSTOMIZE:
            for resource in yaml.safe_load_all(path.read_text()):
                yield f"{path.relative_to(FOLDER)}: {resource['kind']} {resource['metadata']['name']}", resource


RESOURCES = dict(resources())
TEMPLATES = {
    name: found["spec"]["template"] for name, found in RESOURCES.items() if "template" in found.get("spec", {})
}


def check(resource: Resource) -> None:
    """Validate a resource; only a kind of a named operator may be without a schema."""
    try:
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        if (resource["apiVersion"], resource["kind"]) not in OF_OPERATORS:
            raise


@pytest.mark.parametrize("name", RESOURCES)
def test_a_manifest_is_valid(name: str) -> None:
    check(RESOURCES[name])


def test_a_wrong_field_a_wrong_type_and_an_unknown_kind_are_noticed() -> None:
    deployment = next(found for found in RESOURCES.values() if found["kind"] == "Deployment")
    for wrong in ({"replica": 2}, {"replicas": "two"}):
        with pytest.raises(kubernetes_validate.ValidationError):
            check({**deployment, "spec": {**deployment["spec"], **wrong}})
    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        check({**deployment, "kind": "Deploymnet"})


def test_every_file_belongs_to_a_kustomization_and_every_file_that_one_names_exists() -> None:
    named = set()
    for path in FOLDER.rglob("kustomization.yaml"):
        kustomization = yaml.safe_load(path.read_text())
        assert kustomization["apiVersion"] == "kustomize.config.k8s.io/v1beta1"
        entries = [
            path.parent / entry for key in ("resources", "configurations") for entry in kustomization.get(key, ())
        ]
        assert all(entry.exists() for entry in entries), entries
        named |= {entry.resolve() for entry in entries}
        # Kustomize refuses a file outside the folder of its kustomization.
        assert all(entry.is_dir() or entry.parent == path.parent for entry in entries)
    files = {path for path in FOLDER.rglob("*.yaml") if path.name != "kustomization.yaml"}
    assert files <= named


def test_the_parts_of_the_service_are_there_once() -> None:
    kinds = [(found["kind"], found["metadata"]["name"]) for found in RESOURCES.values()]
    for expected in (
        ("Deployment", "api"),
        ("Deployment", "worker"),
        ("Job", "migration"),
        ("HorizontalPodAutoscaler", "api"),
        ("ScaledObject", "worker"),
        ("PodDisruptionBudget", "api"),
        ("PodDisruptionBudget", "worker"),
        ("WorkerDeployment", "worker"),
    ):
        assert kinds.count(expected) == 1, expected


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_pod_has_no_rights_that_it_does_not_need(name: str) -> None:
    pod = TEMPLATES[name]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert container["image"] == "scheduled-activities"  # overlays name the registry and the version
        assert "env" not in container


def test_every_setting_is_read_by_a_process_and_no_secret_is_among_them() -> None:
    known = {name.upper() for settings in (ApiSettings, WorkerSettings) for name in settings.model_fields}
    given = RESOURCES["base/settings.yaml: ConfigMap scheduled-activities"]["data"]
    assert set(given) <= known | OF_TEMPORALS_CLIENT | OF_TRACES
    assert not [name for name in given if "DATABASE_URL" in name]
    assert "Secret" not in {found["kind"] for found in RESOURCES.values()}


@pytest.mark.parametrize(("process", "settings"), [("api", ApiSettings), ("worker", WorkerSettings)])
def test_a_process_starts_with_the_settings_and_the_secret(
    process: str, settings: type[ApiSettings | WorkerSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    given = RESOURCES["base/settings.yaml: ConfigMap scheduled-activities"]["data"]
    urls = dict.fromkeys(("DATABASE_URL", "SYSTEM_DATABASE_URL"), "postgresql+psycopg://database")
    for name, value in (given | urls).items():
        monkeypatch.setenv(name, value)
    read = settings()
    (template,) = (found for name, found in TEMPLATES.items() if name.endswith(f" Deployment {process}"))
    (container,) = template["spec"]["containers"]
    port = read.api_port if isinstance(read, ApiSettings) else read.worker_metrics_port
    assert [opened["containerPort"] for opened in container["ports"]] == [port]
    drain = 30 if isinstance(read, ApiSettings) else read.worker_drain_seconds
    assert template["spec"]["terminationGracePeriodSeconds"] > drain + 5


def test_traces_are_off_until_a_collector_is_named() -> None:
    given = RESOURCES["base/settings.yaml: ConfigMap scheduled-activities"]["data"]
    assert given.keys() >= OF_TRACES
    assert not is_wanted(given)
    assert is_wanted(given | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.observability.svc:4318"})


def allowed(labels: dict[str, str], direction: str) -> set[int]:
    """List the ports of TCP that the network policies of a pod allow in one direction."""
    found: set[int] = set()
    for policy in (one["spec"] for one in RESOURCES.values() if one["kind"] == "NetworkPolicy"):
        selector = policy["podSelector"]
        is_meant = selector.get("matchLabels", {}).items() <= labels.items() and all(
            labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", ())
        )
        if is_meant and direction.capitalize() in policy["policyTypes"]:
            ports = [port for rule in policy.get(direction, ()) for port in rule["ports"]]
            found |= {port["port"] for port in ports if port["protocol"] == "TCP"}
    return found


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_network_policies_allow_what_a_pod_needs(name: str) -> None:
    """Beside the ports of its settings: that of PostgreSQL in the secrets, of the issuer's keys, and of names."""
    template = TEMPLATES[name]
    (container,) = template["spec"]["containers"]
    labels = template["metadata"]["labels"]
    assert allowed(labels, "ingress") == {opened["containerPort"] for opened in container.get("ports", ())}
    given = RESOURCES["base/settings.yaml: ConfigMap scheduled-activities"]["data"]
    text = (FOLDER / "base" / "settings.yaml").read_text()
    postgres = int(re.findall(r"@host:(\d+)/", (FOLDER / "README.md").read_text())[0])
    temporal = int(given["TEMPORAL_ADDRESS"].rsplit(":", 1)[1])
    collector = int(re.findall(r"http://collector\S*:(\d+)", text)[0])
    needed = {"migration": {postgres}, "worker": {postgres, temporal, collector}}
    needed["api"] = needed["worker"] | {443}
    assert allowed(labels, "egress") >= {53} | needed[container["name"]]


def test_no_pod_has_the_secret_of_another_process() -> None:
    found = {}
    for template in TEMPLATES.values():
        (container,) = template["spec"]["containers"]
        sources = {one["secretRef"]["name"] for one in container["envFrom"] if "secretRef" in one}
        found[container["name"]] = sources - {"scheduled-activities"}
    assert found == {name: {f"scheduled-activities-{name}"} for name in ("api", "worker", "migration")}


def test_probes_ask_for_paths_that_exist() -> None:
    paths = {route for route in DOCUMENT["paths"] if route.startswith("/health")}
    for template in TEMPLATES.values():
        for container in template["spec"]["containers"]:
            asked = {found["httpGet"]["path"] for name, found in container.items() if name.endswith("Probe")}
            assert asked <= (paths if container["name"] == "api" else {"/metrics"})


def test_the_worker_of_the_controller_is_the_worker() -> None:
    plain, versioned = (
        next(found["spec"] for name, found in TEMPLATES.items() if name.endswith(ending))
        for ending in (" Deployment worker", " WorkerDeployment worker")
    )
    assert {**plain, "topologySpreadConstraints": None} == {**versioned, "topologySpreadConstraints": None}


def test_the_gate_is_a_workflow_of_the_worker_with_an_input_that_it_understands() -> None:
    (deployment,) = (found for found in RESOURCES.values() if found["kind"] == "WorkerDeployment")
    gate = deployment["spec"]["rollout"]["gate"]
    assert gate["workflowType"] == ReplayGateWorkflow.__name__
    assert ReplayGate.model_validate(gate["input"]).model_dump().keys() == gate["input"].keys()
