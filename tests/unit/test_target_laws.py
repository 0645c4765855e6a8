"""Check the laws that hold for every target user, whatever the facts are."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from workflows.messages import ResolvedTarget, TargetCriterion
from workflows.resolution import choose_target
from workflows.resolution.criteria import REACHED_BY
from workflows.resolution.explanations import Outcome, TargetExplanation, Trial, Verdict
from workflows.resolution.facts import Candidate, TargetFacts, TargetRules
from workflows.words import (
    Channel,
    ContactType,
    CriterionType,
    LockReason,
    ResolutionMoment,
    Role,
    TargetStatus,
    TargetStrategy,
)

NOW = datetime(2025, 1, 16, 9, tzinfo=UTC)

times = st.none() | st.integers(0, 60).map(lambda days: NOW - timedelta(days=days))
people = st.lists(
    st.builds(
        Candidate,
        id=st.integers(1, 9).map(lambda number: UUID(int=number)),
        roles=st.frozensets(st.sampled_from(Role), max_size=2),
        contact_types=st.frozensets(st.sampled_from(ContactType), max_size=3),
        is_active=st.booleans(),
        last_contacted_at=times,
        last_contacted_on_channel_at=times,
    ),
    max_size=6,
    unique_by=lambda candidate: candidate.id,
).map(tuple)
priorities = st.integers(-1, 2)
roles = st.sampled_from(Role).map(lambda role: {"role": role.value})
periods: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.integers(1, 60).map(lambda days: {"within_days": days})
contacted = st.sampled_from((CriterionType.LAST_CONTACTED_ALL_CHANNELS, CriterionType.LAST_CONTACTED_SAME_CHANNEL))
by_role = st.builds(TargetCriterion, type=st.just(CriterionType.ROLE_MATCH), config=roles, priority=priorities)
by_contact = st.builds(TargetCriterion, type=contacted, config=periods, priority=priorities)
criteria = st.lists(by_role | by_contact, max_size=4).map(tuple)
targets = st.builds(
    TargetFacts,
    now=st.just(NOW),
    scheduled_at=st.just(NOW),
    channel=st.sampled_from(Channel),
    requested=st.none() | criteria,
    rules=st.builds(
        TargetRules,
        id=st.just(UUID(int=99)),
        version=st.just(1),
        criteria=criteria,
        fallback_to_commerce_rep=st.booleans(),
        fallback_to_owner=st.booleans(),
    ),
    candidates=people,
)


def read_explanation(target: ResolvedTarget) -> TargetExplanation:
    """Read the explanation back from its document."""
    return TargetExplanation.model_validate(target.explanation)


def list_trials(target: ResolvedTarget) -> list[Trial]:
    """List the trials of criteria and fallbacks in the order tried."""
    explanation = read_explanation(target)
    return [*explanation.criteria, *explanation.fallbacks]


@given(targets, st.randoms())
def test_the_same_facts_give_the_same_answer_in_whatever_order_users_come(facts: TargetFacts, random: Random) -> None:
    """PostgreSQL guarantees no order of rows."""
    shuffled = list(facts.candidates)
    random.shuffle(shuffled)

    assert choose_target(facts) == choose_target(facts.model_copy(update={"candidates": tuple(shuffled)}))


@given(targets)
def test_the_first_criterion_by_priority_that_anyone_fits_decides(facts: TargetFacts) -> None:
    """Each criterion is tried alone; the answer is that of the first that finds a user."""
    asked = facts.rules.criteria if facts.requested is None else facts.requested
    no_fallbacks = facts.rules.model_copy(update={"fallback_to_commerce_rep": False, "fallback_to_owner": False})
    alone = [
        choose_target(facts.model_copy(update={"requested": (one,), "rules": no_fallbacks})).commerce_user_id
        for one in sorted(asked, key=lambda criterion: criterion.priority)
    ]
    first = next(filter(None, alone), None)

    target = choose_target(facts)

    assert (target.commerce_user_id if target.lock_reason is LockReason.CRITERIA_MATCH else None) == first


@given(targets)
def test_deactivating_the_chosen_one_never_leads_to_someone_earlier_in_the_order(facts: TargetFacts) -> None:
    """The next user is found by the same criterion or a later one, and was contacted no more recently."""
    before = choose_target(facts)
    assume(before.commerce_user_id)
    without = tuple(
        one.model_copy(update={"is_active": False}) if one.id == before.commerce_user_id else one
        for one in facts.candidates
    )

    after = choose_target(facts.model_copy(update={"candidates": without}))

    assert after.commerce_user_id != before.commerce_user_id
    assert len(list_trials(after)) >= len(list_trials(before))
    if len(list_trials(after)) == len(list_trials(before)) and after.commerce_user_id:
        times_of_contact = [list_trials(one)[-1].candidates[0].last_contacted_at for one in (before, after)]
        assert not times_of_contact[1] or (times_of_contact[0] and times_of_contact[0] >= times_of_contact[1])


@given(targets)
def test_the_chosen_user_is_active_and_can_be_reached(facts: TargetFacts) -> None:
    """A fallback follows the same rule as a criterion."""
    target = choose_target(facts)
    assume(target.commerce_user_id)
    chosen = next(one for one in facts.candidates if one.id == target.commerce_user_id)

    assert chosen.is_active
    assert not REACHED_BY.get(facts.channel) or chosen.contact_types & {*REACHED_BY[facts.channel]}


@given(targets)
def test_every_unresolved_target_has_a_cause_in_its_explanation(facts: TargetFacts) -> None:
    """Each trial has an outcome, and each candidate has a verdict other than the two that fit."""
    target = choose_target(facts)
    assume(target.status is TargetStatus.FAILED)

    assert target.error_message
    assert read_explanation(target).summary == target.error_message
    assert {trial.outcome for trial in list_trials(target)} <= {Outcome.NOBODY, Outcome.SWITCHED_OFF}
    for trial in list_trials(target):
        assert all(one.verdict not in {Verdict.TAKEN, Verdict.ANOTHER_CAME_FIRST} for one in trial.candidates)
        assert len(trial.candidates) in {len(facts.candidates), 0 if trial.outcome is Outcome.SWITCHED_OFF else -1}


@given(targets)
def test_exactly_the_chosen_candidate_is_explained_as_taken(facts: TargetFacts) -> None:
    """The verdict stands once, in the last trial."""
    target = choose_target(facts)
    candidates = [one for trial in list_trials(target) for one in trial.candidates]
    taken = [one.commerce_user_id for one in candidates if one.verdict == Verdict.TAKEN]

    assert taken == ([target.commerce_user_id] if target.commerce_user_id else [])


@given(targets, st.sampled_from((TargetStatus.RESOLVED, TargetStatus.LOCKED)), st.sampled_from(ResolutionMoment))
def test_a_target_that_was_found_is_never_looked_for_again(
    facts: TargetFacts, status: TargetStatus, moment: ResolutionMoment
) -> None:
    """Later changes of users and rules have no effect."""
    standing = ResolvedTarget(
        status=status,
        strategy=TargetStrategy.ON_DISPATCH,
        commerce_user_id=UUID(int=7),
        lock_reason=LockReason.CRITERIA_MATCH,
    )

    assert choose_target(facts.model_copy(update={"standing": standing, "moment": moment})) == standing


def test_an_explanation_stays_small_however_many_users_and_criteria_there_are() -> None:
    """The workflow's history holds it twice."""
    crowd = tuple(Candidate(id=UUID(int=number), roles=frozenset({"OWNER"})) for number in range(2000))
    many = (TargetCriterion(type=CriterionType.ROLE_MATCH, config={"role": "OWNER"}),) * 100
    facts = TargetFacts(now=NOW, scheduled_at=NOW, channel=Channel.SMS, requested=many, candidates=crowd)

    target = choose_target(facts)
    explanation = read_explanation(target)

    assert len(target.model_dump_json()) < 64 * 1024
    assert len(explanation.criteria) + explanation.more_criteria == len(many)
    assert all(len(one.candidates) + one.more_candidates == len(crowd) for one in explanation.criteria)


@given(targets)
def test_an_explanation_read_back_is_the_one_that_was_written(facts: TargetFacts) -> None:
    """Leaving empty members out loses nothing."""
    target = choose_target(facts)

    assert read_explanation(target).document() == target.explanation
