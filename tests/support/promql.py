"""The queries of the alert rules, of the dashboards and of the scaling of workers, and the metrics that they name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "alerts.yml"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
SCALING = ROOT / "deploy" / "kubernetes" / "overlays" / "keda" / "scaled-object.yaml"
OF_PROMETHEUS = {"postgresql": False, "prometheus": True}
"""The data sources of panels."""


def rules() -> Iterator[dict[str, Any]]:
    """List every rule of docs/alerts.yml."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from group["rules"]


def targets(*, of_prometheus: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """List the queries of all panels to one of the data sources, with the panel's name."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                if OF_PROMETHEUS[target["datasource"]["uid"]] is of_prometheus:
                    yield f"{path.stem}: {panel['title']}", target


def queries() -> dict[str, str]:
    """Return every query to Prometheus by the name of what asks it, with values for Grafana's variables."""
    found = {f"rule {rule['alert']}": rule["expr"] for rule in rules()}
    for name, target in targets(of_prometheus=True):
        text = target["expr"].replace("$__rate_interval", "5m").replace("$task_queue", ".*")
        found[f"{name} {target['refId']}"] = text
    for trigger in yaml.safe_load(SCALING.read_text())["spec"]["triggers"]:
        found[f"scaling by {trigger['name']}"] = trigger["metadata"]["query"]
    return found


def metrics_of(query: str) -> set[str]:
    """Return the metrics that a query names.

    Raises:
        ValueError: it is no PromQL.

    """
    names: set[str] = set()

    def visit(expression: promql_parser.Expr) -> None:
        if isinstance(expression, promql_parser.VectorSelector):
            names.add(expression.name or "")

    promql_parser.walk(promql_parser.parse(query), pre_visit=visit)
    return names
