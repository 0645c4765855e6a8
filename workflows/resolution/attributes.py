"""Find the values of attributes: from the caller, from the service's own tables, or from the fallback."""

from collections.abc import Callable, Iterable

from pydantic import JsonValue

from workflows.messages import Fault, ProvidedAttribute, RejectedError, Rejection, ResolvedAttribute, ResolvedAttributes
from workflows.resolution.explanations import (
    AttributeExplanation,
    AttributesExplanation,
    PolicyExplanation,
    ValueSource,
)
from workflows.resolution.facts import AttributeFacts, Policy
from workflows.resolution.reasons import find_closest, shorten
from workflows.words import AttributeStatus, AttributeStrategy, ResolutionMoment, ResolverType

ADDRESS_PARTS = ("street", "street_number", "unit"), ("commune",), ("city",), ("region",), ("country_code",)
"""The parts of an address without `formatted_address`: spaces join the parts of a group, commas join the groups."""


def commerce_info(facts: AttributeFacts) -> JsonValue:
    """Return the commerce's name, tax id and address in one line: the primary address, else the first."""
    commerce = facts.commerce
    if commerce is None:
        return None
    addresses = commerce.addresses
    address = next((one for one in addresses if one.get("is_primary") is True), addresses[0] if addresses else {})
    return {"name": commerce.name, "taxId": commerce.tax_id, "address": _format_address(address)}


def _format_address(address: dict[str, JsonValue]) -> str | None:
    groups = (" ".join(str(address[part]) for part in group if address.get(part)) for group in ADDRESS_PARTS)
    return str(address.get("formatted_address") or ", ".join(filter(None, groups))) or None


INTERNAL_RESOLVERS: dict[str, Callable[[AttributeFacts], JsonValue]] = {"commerce_info": commerce_info}
"""The resolvers of our own tables, by attribute key; one that needs other columns adds them to `AttributeFacts`."""

UPFRONT_FROM_OUR_TABLES = Policy(strategy=AttributeStrategy.UPFRONT, resolver_type=ResolverType.INTERNAL_SERVICE)
FROM_THE_CALLER = Policy(strategy=AttributeStrategy.CALLER_PROVIDED, resolver_type=ResolverType.CALLER_PROVIDED)


def choose_attributes(facts: AttributeFacts) -> ResolvedAttributes:
    """Find the values that are to be found now; after creation, only those that are open in the rows.

    Raises:
        RejectedError: at creation, when a key is unknown, or a value is missing that only the caller can provide.
    """
    if facts.moment is ResolutionMoment.CREATION:
        wanted = _list_wanted(facts)
        _reject_faulty(facts, wanted)
    else:
        wanted = [
            ProvidedAttribute(key=standing.key, fallback=standing.fallback)
            for standing in facts.standing
            if facts.is_to_be_resolved(standing.status)
        ]
    found = [_resolve(attribute, facts) for attribute in wanted]
    if not found:
        return ResolvedAttributes()
    explanation = AttributesExplanation(moment=facts.moment, attributes=tuple(explained for _, explained in found))
    return ResolvedAttributes(attributes=tuple(one for one, _ in found), explanation=explanation.document())


def _list_wanted(facts: AttributeFacts) -> list[ProvidedAttribute]:
    provided = {attribute.key: attribute for attribute in facts.provided}
    keys = dict.fromkeys([*facts.requested_keys, *provided])
    return [provided.get(key, ProvidedAttribute(key=key)) for key in keys]


def _find_policy(key: str, facts: AttributeFacts) -> Policy:
    configured = next((known.policy for known in facts.catalogue if known.key == key), None)
    if configured is not None:
        return configured
    asked = facts.moment is not ResolutionMoment.CREATION or key in facts.requested_keys
    return UPFRONT_FROM_OUR_TABLES if asked and key in INTERNAL_RESOLVERS else FROM_THE_CALLER


def _resolve(attribute: ProvidedAttribute, facts: AttributeFacts) -> tuple[ResolvedAttribute, AttributeExplanation]:
    policy = _find_policy(attribute.key, facts)
    if attribute.value is not None:
        return _compose_answer(
            attribute, policy, AttributeStatus.RESOLVED, value=attribute.value, source=ValueSource.REQUEST
        )
    if policy.strategy is AttributeStrategy.ON_DISPATCH and facts.moment is ResolutionMoment.CREATION:
        return _compose_answer(attribute, policy, AttributeStatus.PENDING)
    value, error = _compute_value(policy, attribute.key, facts)
    if value is not None:
        return _compose_answer(
            attribute, policy, AttributeStatus.RESOLVED, value=value, source=ValueSource.INTERNAL_SERVICE
        )
    if attribute.fallback is not None:
        return _compose_answer(
            attribute,
            policy,
            AttributeStatus.FALLBACK,
            value=attribute.fallback,
            source=ValueSource.FALLBACK,
            error=error,
        )
    return _compose_answer(attribute, policy, AttributeStatus.FAILED, error=error)


def _compute_value(policy: Policy, key: str, facts: AttributeFacts) -> tuple[JsonValue, str]:
    if policy.resolver_type is ResolverType.CALLER_PROVIDED:
        return None, "The request provides no value."
    if policy.resolver_type is ResolverType.CLIENT_HOOK:
        return None, "Its policy names the tenant's own endpoint, and this service can't call that yet."
    resolver = INTERNAL_RESOLVERS.get(key)
    if resolver is None:
        return None, f"The service has no resolver for “{key}”."
    return resolver(facts), "The service's own tables have no value for it."


def _compose_answer(  # noqa: PLR0913 - one place composes the message and its explanation for every outcome
    attribute: ProvidedAttribute,
    policy: Policy,
    status: AttributeStatus,
    *,
    value: JsonValue = None,
    source: ValueSource | None = None,
    error: str | None = None,
) -> tuple[ResolvedAttribute, AttributeExplanation]:
    resolved = ResolvedAttribute(
        key=attribute.key,
        status=status,
        resolver_type=ResolverType.CALLER_PROVIDED if source is ValueSource.REQUEST else policy.resolver_type,
        value=value,
        fallback=attribute.fallback,
        error_message=error if status is AttributeStatus.FAILED else None,
    )
    shown, has_fallback = PolicyExplanation.model_validate(policy.model_dump()), attribute.fallback is not None
    return resolved, AttributeExplanation(
        key=attribute.key, status=status, source=source, policy=shown, has_fallback=has_fallback, error=error
    )


def _reject_faulty(facts: AttributeFacts, wanted: list[ProvidedAttribute]) -> None:
    known = {entry.key for entry in facts.catalogue}
    pointers = {f"/attribute_keys/{place}": key for place, key in enumerate(facts.requested_keys)}
    pointers |= {f"/attributes/{place}/key": attribute.key for place, attribute in enumerate(facts.provided)}
    absent = {key for key in pointers.values() if key not in known}
    similar = known if facts.similar_keys is None else facts.similar_keys
    suggestion = _suggest_keys(next(iter(absent)), similar) if len(absent) == 1 else ""
    unknown = [
        Fault(pointer=pointer, detail=f"There is no attribute key “{shorten(key)}”.{suggestion}")
        for pointer, key in pointers.items()
        if key in absent
    ]
    missing = [
        Fault(pointer=_point_to_value(attribute.key, facts), detail=_describe_missing_value(attribute, facts))
        for attribute in wanted
        if attribute.key in known and _lacks_value(attribute, facts)
    ]
    faults = (*unknown, *missing)
    if faults:
        code = "unknown_attribute_key" if unknown else "attribute_value_missing"
        detail = faults[0].detail if len(faults) == 1 else f"{len(faults)} attributes can't be resolved."
        raise RejectedError(Rejection(code=code, detail=detail, faults=faults))


def _point_to_value(key: str, facts: AttributeFacts) -> str:
    provided = [attribute.key for attribute in facts.provided]
    if key in provided:
        return f"/attributes/{provided.index(key)}/value"
    return f"/attribute_keys/{facts.requested_keys.index(key)}"


def _suggest_keys(key: str, similar: Iterable[str]) -> str:
    near = find_closest(key, similar)
    return f" The closest keys are: {', '.join(near)}." if near else " The tenant's catalogue of keys is empty."


def _lacks_value(attribute: ProvidedAttribute, facts: AttributeFacts) -> bool:
    only_caller = _find_policy(attribute.key, facts).resolver_type is ResolverType.CALLER_PROVIDED
    return only_caller and attribute.value is None and attribute.fallback is None


def _describe_missing_value(attribute: ProvidedAttribute, facts: AttributeFacts) -> str:
    configured = any(entry.key == attribute.key and entry.policy is not None for entry in facts.catalogue)
    why = "its policy is CALLER_PROVIDED" if configured else "it has no policy that finds it"
    return f"Provide “{attribute.key}” in attributes[], with a value or a fallback: {why}."
