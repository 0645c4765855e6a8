"""Asks the engine the cases of `resolution_cases.md`."""

import json
from typing import Any

import pytest

from tests.support.case_notation import (
    IDS,
    NOW,
    agrees,
    brought,
    candidates,
    cases,
    catalogue,
    criteria,
    entries,
    occasion,
    rules,
    said_of,
    said_of_attributes,
)
from workflows.messages import RejectedError, ResolvedTarget
from workflows.resolution.attributes import choose_attributes
from workflows.resolution.facts import AttributeFacts, ReasonFacts, TargetFacts
from workflows.resolution.reasons import match_reason
from workflows.resolution.targets import choose_target
from workflows.words import LockReason, TargetStatus, TargetStrategy


@pytest.mark.parametrize(("users", "channel", "asked", "configured", "answer"), cases("Whom an activity is aimed at"))
def test_the_target_is_the_one_that_the_rules_name(
    users: str, channel: str, asked: str, configured: str, answer: str
) -> None:
    """At creation."""
    facts = TargetFacts.model_validate(
        {
            "now": NOW,
            "scheduled_at": NOW,
            "channel": channel,
            "requested": criteria(asked) if asked else None,
            "rules": rules(configured),
            "candidates": candidates(users),
        }
    )

    said = said_of(choose_target(facts))

    assert agrees(said, answer), said


@pytest.mark.parametrize(
    ("users", "configured", "row", "moment", "answer"), cases("Whom it is aimed at, once it has been created")
)
def test_after_creation_only_an_open_target_is_looked_for(
    users: str, configured: str, row: str, moment: str, answer: str
) -> None:
    """At the wake-up and at an operator's retry."""
    strategy, status, *found = row.split()
    standing = ResolvedTarget(
        strategy=TargetStrategy(strategy),
        status=TargetStatus(status),
        commerce_user_id=IDS[found[0]] if found else None,
        lock_reason=LockReason.CRITERIA_MATCH if found else None,
    )
    facts = TargetFacts.model_validate(
        {
            **occasion(moment),
            "channel": "SMS",
            "rules": rules(configured),
            "candidates": candidates(users),
            "standing": standing,
        }
    )

    said = said_of(choose_target(facts))

    assert agrees(said, answer), said


def attributes_at(facts: dict[str, Any]) -> str:
    """What the engine says, be it a refusal."""
    commerce = {"name": "Tienda", "tax_id": "X1"}
    try:
        return said_of_attributes(choose_attributes(AttributeFacts.model_validate({"commerce": commerce, **facts})))
    except RejectedError as refused:
        pointers = " ".join(fault.pointer for fault in refused.rejection.faults)
        return f"400 {refused.rejection.code} {pointers}"


@pytest.mark.parametrize(("policies", "keys", "values", "answer"), cases("Which value an attribute gets"))
def test_an_attribute_gets_the_value_that_the_rules_name(policies: str, keys: str, values: str, answer: str) -> None:
    """At creation."""
    facts = {
        **occasion("CREATION"),
        "catalogue": catalogue(policies),
        "requested_keys": [key.strip() for key in keys.split(",") if key],
        "provided": brought(values),
    }

    assert attributes_at(facts) == answer


@pytest.mark.parametrize(
    ("policies", "row", "moment", "answer"), cases("Which value it gets, once the activity has been created")
)
def test_after_creation_only_open_attributes_are_resolved(policies: str, row: str, moment: str, answer: str) -> None:
    """At the wake-up and at an operator's retry."""
    key, status, *fallback = row.replace(" or ", " ").split()
    standing = {
        "key": key,
        "status": status,
        "resolver_type": "INTERNAL_SERVICE",
        "fallback": json.loads(fallback[0]) if fallback else None,
    }
    facts = {**occasion(moment), "catalogue": catalogue(policies), "standing": [standing]}

    assert attributes_at(facts) == answer


def meaning(facts: ReasonFacts) -> str:
    """What the engine says, be it a refusal with the codes that it suggests."""
    try:
        found = match_reason(facts)
    except RejectedError as refused:
        suggested = refused.rejection.detail.partition("closest codes are: ")[2].removesuffix(".")
        return f"400 {refused.rejection.code} {suggested}".strip()
    return f"{found.reason.code} {found.explanation['reason']['matchedBy']}"


@pytest.mark.parametrize(("known", "text", "answer"), cases("What the text of a reason means"))
def test_a_reason_means_the_entry_that_the_rules_name(known: str, text: str, answer: str) -> None:
    """Case, accents and separators don't matter."""
    assert meaning(ReasonFacts(reason=text, reasons=tuple(entries(known)))) == answer


@pytest.mark.parametrize(
    ("addresses", "line"),
    [
        ([], None),
        ([{"street": "Calle 1", "street_number": "22", "city": "Lima", "region": "Lima"}], "Calle 1 22, Lima, Lima"),
        ([{"city": "Quito"}, {"city": "Lima", "is_primary": True}], "Lima"),
        ([{"city": "Lima", "formatted_address": "Av. 1, Lima 15001"}], "Av. 1, Lima 15001"),
        ([{"address_alias": "depot"}], None),
    ],
)
def test_commerce_info_has_the_primary_address_as_one_line(addresses: list[dict[str, Any]], line: str | None) -> None:
    commerce = {"name": "Tienda", "tax_id": "X1", "addresses": addresses}
    facts = {**occasion("CREATION"), "catalogue": [{"key": "commerce_info"}], "requested_keys": ["commerce_info"]}

    found = choose_attributes(AttributeFacts.model_validate({**facts, "commerce": commerce}))

    assert found.attributes[0].value == {"name": "Tienda", "taxId": "X1", "address": line}
