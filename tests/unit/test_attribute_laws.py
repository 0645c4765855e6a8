"""Check the laws that hold for every attribute, whatever the facts are."""

from datetime import UTC, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from workflows.messages import ProvidedAttribute, RejectedError, ResolvedAttribute
from workflows.resolution import choose_attributes
from workflows.resolution.explanations import AttributesExplanation
from workflows.resolution.facts import AttributeFacts, CataloguedKey
from workflows.words import AttributeStatus, ResolutionMoment, ResolverType

NOW = datetime(2025, 1, 16, 9, tzinfo=UTC)
keys = st.sampled_from(("commerce_info", "promotions", "unheard_of"))
values = st.none() | st.integers() | st.text(max_size=5)
policies = st.sampled_from(
    (
        None,
        {"strategy": "UPFRONT", "resolver_type": "INTERNAL_SERVICE"},
        {"strategy": "ON_DISPATCH", "resolver_type": "INTERNAL_SERVICE"},
        {"strategy": "UPFRONT", "resolver_type": "CLIENT_HOOK"},
        {"strategy": "CALLER_PROVIDED", "resolver_type": "CALLER_PROVIDED"},
    )
)
attributes = st.builds(
    AttributeFacts,
    now=st.just(NOW),
    scheduled_at=st.just(NOW),
    requested_keys=st.lists(keys, max_size=4).map(tuple),
    provided=st.lists(
        st.builds(ProvidedAttribute, key=keys, value=values, fallback=values), max_size=3, unique_by=lambda one: one.key
    ).map(tuple),
    catalogue=st.tuples(policies, policies).map(
        lambda pair: tuple(
            CataloguedKey.model_validate({"key": key, "policy": policy})
            for key, policy in zip(("commerce_info", "promotions"), pair, strict=True)
        )
    ),
    commerce=st.just({"name": "Tienda"}),
)


@given(attributes)
def test_each_key_that_is_mentioned_becomes_one_attribute_or_a_fault_of_its_own(facts: AttributeFacts) -> None:
    """Attributes keep the order of their first mention, and none is lost."""
    mentioned = list(dict.fromkeys([*facts.requested_keys, *(one.key for one in facts.provided)]))
    rejection = None
    try:
        keys_found = [one.key for one in choose_attributes(facts).attributes]
    except RejectedError as rejected:
        rejection = rejected.rejection

    if rejection is None:
        assert keys_found == mentioned
    else:
        pointers = [fault.pointer for fault in rejection.faults]
        assert pointers
        assert len(set(pointers)) == len(pointers)
        assert rejection.code in {"unknown_attribute_key", "attribute_value_missing"}


@given(attributes)
def test_only_what_has_a_value_is_resolved_and_only_failures_have_a_message(facts: AttributeFacts) -> None:
    """A fallback is the caller's value; a failure has its error in the explanation as well."""
    try:
        found = choose_attributes(facts)
    except RejectedError:
        assume(False)  # noqa: FBT003 - Hypothesis' own signature
    brought = {one.key: one for one in facts.provided}
    for one in found.attributes:
        assert (one.value is not None) == (one.status in {AttributeStatus.RESOLVED, AttributeStatus.FALLBACK})
        assert (one.error_message is not None) == (one.status is AttributeStatus.FAILED)
        assert one.status is not AttributeStatus.FALLBACK or one.value == brought[one.key].fallback
    if found.attributes:
        why = AttributesExplanation.model_validate(found.explanation).attributes
        assert [(one.key, one.status) for one in why] == [(one.key, one.status) for one in found.attributes]
        assert all(one.error for one in why if one.status is AttributeStatus.FAILED)


@given(attributes)
def test_an_attribute_that_has_a_value_is_never_resolved_again(facts: AttributeFacts) -> None:
    """Neither the wake-up nor an operator's retry resolves it."""
    standing = tuple(
        ResolvedAttribute(key=one.key, status=status, resolver_type=ResolverType.INTERNAL_SERVICE, value=1)
        for one, status in zip(facts.catalogue, (AttributeStatus.RESOLVED, AttributeStatus.FALLBACK), strict=True)
    )
    for moment in (ResolutionMoment.WAKE_UP, ResolutionMoment.RETRY):
        again = choose_attributes(facts.model_copy(update={"moment": moment, "standing": standing}))
        assert again.attributes == ()
