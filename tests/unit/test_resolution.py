"""Check the resolution against the cases of `resolution_cases.md`."""

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
from workflows.resolution import choose_attributes, choose_target, match_reason
from workflows.resolution.explanations import ReasonExplanation
from workflows.resolution.facts import AttributeFacts, ReasonFacts, TargetFacts
from workflows.words import LockReason, TargetStatus, TargetStrategy


@pytest.mark.parametrize(("users", "channel", "asked", "configured", "answer"), cases("The target user at creation"))
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


@pytest.mark.parametrize(("users", "configured", "row", "moment", "answer"), cases("The target user after creation"))
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


def describe_attributes(facts: dict[str, Any]) -> str:
    """Describe the resolved attributes, or the rejection, in the words of the cases."""
    commerce = {"name": "Tienda", "tax_id": "X1"}
    try:
        return said_of_attributes(choose_attributes(AttributeFacts.model_validate({"commerce": commerce, **facts})))
    except RejectedError as rejected:
        pointers = " ".join(fault.pointer for fault in rejected.rejection.faults)
        return f"400 {rejected.rejection.code} {pointers}"


@pytest.mark.parametrize(("policies", "keys", "values", "answer"), cases("The value of an attribute at creation"))
def test_an_attribute_gets_the_value_that_the_rules_name(policies: str, keys: str, values: str, answer: str) -> None:
    """At creation."""
    facts = {
        **occasion("CREATION"),
        "catalogue": catalogue(policies),
        "requested_keys": [key.strip() for key in keys.split(",") if key],
        "provided": brought(values),
    }

    assert describe_attributes(facts) == answer


@pytest.mark.parametrize(("policies", "row", "moment", "answer"), cases("The value of an attribute after creation"))
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

    assert describe_attributes(facts) == answer


def describe_reason(facts: ReasonFacts) -> str:
    """Describe the matched reason, or the rejection with the codes that it suggests, in the words of the cases."""
    try:
        found = match_reason(facts)
    except RejectedError as rejected:
        suggested = rejected.rejection.detail.partition("closest codes are: ")[2].removesuffix(".")
        return f"400 {rejected.rejection.code} {suggested}".strip()
    return f"{found.reason.code} {ReasonExplanation.model_validate(found.explanation).reason.matched_by}"


@pytest.mark.parametrize(("known", "text", "answer"), cases("The meaning of a reason's text"))
def test_a_reason_means_the_entry_that_the_rules_name(known: str, text: str, answer: str) -> None:
    """Case, accents and separators don't matter."""
    assert describe_reason(ReasonFacts(reason=text, reasons=tuple(entries(known)))) == answer


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
