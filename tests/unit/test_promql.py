"""Test that the queries of rules and dashboards are PromQL, and that dashboards can be loaded."""

import json
from pathlib import Path

import pytest

from tests.support.promql import DASHBOARDS, metrics_of, queries, rules


@pytest.mark.parametrize("name", queries())
def test_a_query_is_promql_and_names_a_metric(name: str) -> None:
    assert metrics_of(queries()[name])


def test_all_metrics_of_a_query_are_found_also_within_functions_and_comparisons() -> None:
    found = metrics_of('max by (x) (rate(one_total{a="b"}[5m])) / on () absent(two >= 0) > (3 * sum(three offset 1h))')
    assert found == {"one_total", "two", "three"}
    with pytest.raises(ValueError, match="parenthesis"):
        metrics_of("sum by (x (one)")


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_has_an_id_and_panels_that_neither_overlap_nor_repeat(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    assert dashboard["uid"] == path.stem
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels) > 0
    places = [(panel["gridPos"], panel["title"]) for panel in panels]
    taken = [
        (x, y) for at, _ in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24


def test_every_figure_of_the_backlog_has_a_rule() -> None:
    asked = set().union(*(metrics_of(rule["expr"]) for rule in rules()))
    for figure in (
        "scheduled_activities_overdue",
        "scheduled_activities_oldest_overdue_seconds",
        "scheduled_activities_oldest_due_seconds",
        "scheduled_activities_unresolved",
        "scheduled_activities_due_soon",
        "scheduled_activities_expired_leases",
        "scheduled_activities_workers",
        "scheduled_activities_task_backlog_age_seconds",
        "reconciliation_findings",
    ):
        assert figure in asked
