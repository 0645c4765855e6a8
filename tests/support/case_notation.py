"""Reads the cases' notation into facts, and says the engine's answers in it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from workflows.messages import ResolvedAttributes, ResolvedTarget, TargetCriterion
from workflows.resolution.facts import Candidate, CatalogueEntry, TargetRules
from workflows.words import CriterionType, ResolutionMoment, TargetStatus, TargetStrategy

CASES = Path(__file__).parents[1] / "unit" / "resolution_cases.md"
NOW = datetime(2025, 1, 16, 9, tzinfo=UTC)
IDS = {name: UUID(int=number) for number, name in enumerate(("ana", "ben"), start=1)}
LAST_CONTACTED = {
    "ANY": CriterionType.LAST_CONTACTED_ALL_CHANNELS,
    "SAME": CriterionType.LAST_CONTACTED_SAME_CHANNEL,
}


def cases(title: str) -> list[Any]:
    """Every line of the tables under a title, with its own text as the test's name."""
    section = CASES.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    tables = re.findall(r"^\|[^\n]*\n\|[-|]+\|\n((?:\|[^\n]*\n)+)", section, re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for table in tables for line in table.splitlines()]
    return [pytest.param(*cells, id=" | ".join(filter(None, cells))) for cells in rows]


def candidate(text: str) -> Candidate:
    """`ana OWNER+ORDERS phone+email 3d@other inactive`."""
    name, roles, *rest = text.split()
    fields: dict[str, Any] = {"id": IDS[name], "roles": roles.split("+"), "is_active": "inactive" not in rest}
    for word in rest:
        if contacted := re.fullmatch(r"(\d+)d(@other)?", word):
            fields["last_contacted_at"] = NOW - timedelta(days=int(contacted[1]))
            fields["last_contacted_on_channel_at"] = None if contacted[2] else fields["last_contacted_at"]
        elif word != "inactive":
            fields["contact_types"] = word.upper().split("+")
    return Candidate.model_validate(fields)


def criterion(text: str) -> TargetCriterion:
    """`2:OWNER`, `ANY` or `SAME<7d`."""
    priority, _, rule = text.rpartition(":")
    kind, _, days = rule.partition("<")
    if kind in LAST_CONTACTED:
        config: dict[str, Any] = {"within_days": int(days.removesuffix("d"))} if days else {}
        return TargetCriterion(type=LAST_CONTACTED[kind], config=config, priority=int(priority or 0))
    return TargetCriterion(type=CriterionType.ROLE_MATCH, config={"role": kind}, priority=int(priority or 0))


def criteria(text: str) -> tuple[TargetCriterion, ...]:
    """Several of them, by commas."""
    return tuple(criterion(part.strip()) for part in text.split(",")) if text.strip("[]") else ()


def rules(text: str) -> TargetRules:
    """`ON_DISPATCH; OWNER, ANY; no rep; no owner`; nothing is no configuration."""
    if not text:
        return TargetRules()
    fields: dict[str, Any] = {"id": UUID(int=99), "version": 1}
    for part in (part.strip() for part in text.split(";")):
        if part in set(TargetStrategy):
            fields["strategy"] = part
        elif part.startswith("no "):
            fields[{"no rep": "fallback_to_commerce_rep", "no owner": "fallback_to_owner"}[part]] = False
        else:
            fields["criteria"] = criteria(part)
    return TargetRules(**fields)


def candidates(text: str) -> tuple[Candidate, ...]:
    """Several of them, by semicolons."""
    return tuple(candidate(part) for part in text.split(";") if part.strip())


def said_of(target: ResolvedTarget) -> str:
    """The answer in the table's words."""
    names = {str(uuid): name for name, uuid in IDS.items()}
    if target.status is TargetStatus.PENDING:
        return f"pending {target.strategy}"
    if target.status is TargetStatus.RESOLVED:
        return f"{names[str(target.commerce_user_id)]} {target.lock_reason}"
    sentence = target.error_message or ""
    for uuid, name in names.items():
        sentence = sentence.replace(uuid, name)
    return f"nobody: {sentence}"


def agrees(said: str, expected: str) -> bool:
    """A table's line may quote a part of a sentence."""
    return expected.removeprefix("nobody: ") in said if expected.startswith("nobody: ") else said == expected


def occasion(moment: str) -> dict[str, Any]:
    """`RETRY too early` comes a day before the activity's time."""
    ahead = timedelta(days=1) if moment.endswith("too early") else timedelta(0)
    return {"moment": ResolutionMoment(moment.split(maxsplit=1)[0]), "now": NOW, "scheduled_at": NOW + ahead}


def catalogue(text: str) -> list[dict[str, Any]]:
    """`promotions: UPFRONT INTERNAL_SERVICE; commerce_info`."""
    entries = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        key, _, policy = part.partition(": ")
        strategy, _, resolver_type = policy.partition(" ")
        entries.append(
            {"key": key, "policy": ({"strategy": strategy, "resolver_type": resolver_type} if policy else None)}
        )
    return entries


def brought(text: str) -> list[dict[str, Any]]:
    """`promotions=5 or 7`: value and fallback as JSON."""
    if not text:
        return []
    key, _, values = text.partition("=")
    value, _, fallback = values.partition(" or ")
    return [{"key": key, "value": json.loads(value), "fallback": json.loads(fallback or "null")}]


def said_of_attributes(found: ResolvedAttributes) -> str:
    """The answer in the table's words; an object's members are not part of it."""
    return ", ".join(
        f"{one.key} {one.status} {'{}' if isinstance(one.value, dict) else json.dumps(one.value)} {one.resolver_type}"
        for one in found.attributes
    )


def entries(text: str) -> Iterator[CatalogueEntry]:
    """`visit "Visita" alias inactive; …`."""
    for part in filter(None, (part.strip() for part in text.split(";"))):
        code, label, rest = part.split('"')
        aliases = tuple(word for word in rest.split() if word != "inactive")
        yield CatalogueEntry(code=code.strip(), label=label, aliases=aliases, is_active="inactive" not in rest)
