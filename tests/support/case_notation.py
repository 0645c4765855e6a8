"""Read the notation of the resolution cases into facts, and write answers in it."""

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
    """List the lines of the tables under a title; each line's text is the name of its test."""
    section = CASES.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    tables = re.findall(r"^\|[^\n]*\n\|[-|]+\|\n((?:\|[^\n]*\n)+)", section, re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for table in tables for line in table.splitlines()]
    return [pytest.param(*cells, id=" | ".join(filter(None, cells))) for cells in rows]


def candidate(text: str) -> Candidate:
    """Read a candidate: `ana OWNER+ORDERS phone+email 3d@other inactive`."""
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
    """Read a criterion: `2:OWNER`, `ANY` or `SAME<7d`."""
    priority, _, rule = text.rpartition(":")
    kind, _, days = rule.partition("<")
    if kind in LAST_CONTACTED:
        config: dict[str, Any] = {"within_days": int(days.removesuffix("d"))} if days else {}
        return TargetCriterion(type=LAST_CONTACTED[kind], config=config, priority=int(priority or 0))
    return TargetCriterion(type=CriterionType.ROLE_MATCH, config={"role": kind}, priority=int(priority or 0))


def criteria(text: str) -> tuple[TargetCriterion, ...]:
    """Read criteria separated by commas."""
    return tuple(criterion(part.strip()) for part in text.split(",")) if text.strip("[]") else ()


def rules(text: str) -> TargetRules:
    """Read a configuration: `ON_DISPATCH; OWNER, ANY; no rep; no owner`; an empty text is none."""
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
    """Read candidates separated by semicolons."""
    return tuple(candidate(part) for part in text.split(";") if part.strip())


def said_of(target: ResolvedTarget) -> str:
    """Write a target user in the notation."""
    names = {str(uuid): name for name, uuid in IDS.items()}
    if target.status is TargetStatus.PENDING:
        return f"pending {target.strategy}"
    if target.status is TargetStatus.RESOLVED:
        return f"{names[str(target.commerce_user_id)]} {target.lock_reason}"
    sentence = target.error_message or ""
    for uuid, name in names.items():
        sentence = sentence.replace(uuid, name)
    return f"none: {sentence}"


def agrees(said: str, expected: str) -> bool:
    """Compare an answer with the table, which may quote a part of the sentence."""
    return expected.removeprefix("none: ") in said if expected.startswith("none: ") else said == expected


def occasion(moment: str) -> dict[str, Any]:
    """Read an occasion; `RETRY too early` comes a day before the activity's time."""
    ahead = timedelta(days=1) if moment.endswith("too early") else timedelta(0)
    return {"moment": ResolutionMoment(moment.split(maxsplit=1)[0]), "now": NOW, "scheduled_at": NOW + ahead}


def catalogue(text: str) -> list[dict[str, Any]]:
    """Read a catalogue of keys: `promotions: UPFRONT INTERNAL_SERVICE; commerce_info`."""
    entries = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        key, _, policy = part.partition(": ")
        strategy, _, resolver_type = policy.partition(" ")
        entries.append(
            {"key": key, "policy": ({"strategy": strategy, "resolver_type": resolver_type} if policy else None)}
        )
    return entries


def brought(text: str) -> list[dict[str, Any]]:
    """Read a provided attribute: `promotions=5 or 7`, value and fallback as JSON."""
    if not text:
        return []
    key, _, values = text.partition("=")
    value, _, fallback = values.partition(" or ")
    return [{"key": key, "value": json.loads(value), "fallback": json.loads(fallback or "null")}]


def said_of_attributes(found: ResolvedAttributes) -> str:
    """Write attributes in the notation, without the members of objects."""
    return ", ".join(
        f"{one.key} {one.status} {'{}' if isinstance(one.value, dict) else json.dumps(one.value)} {one.resolver_type}"
        for one in found.attributes
    )


def entries(text: str) -> Iterator[CatalogueEntry]:
    """Read the entries of a catalogue: `visit "Visita" alias inactive; …`."""
    for part in filter(None, (part.strip() for part in text.split(";"))):
        code, label, rest = part.split('"')
        aliases = tuple(word for word in rest.split() if word != "inactive")
        yield CatalogueEntry(code=code.strip(), label=label, aliases=aliases, is_active="inactive" not in rest)
