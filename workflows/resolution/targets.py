"""Choose the target user of an activity, and explain the choice."""

from collections.abc import Iterator, Sequence

from workflows.messages import ResolvedTarget, TargetCriterion
from workflows.resolution.criteria import (
    LISTED_CANDIDATES,
    NAMED_IN_SENTENCE,
    Crowd,
    chosen_user_id,
    describe_failure,
    try_criterion,
)
from workflows.resolution.explanations import (
    CriteriaSource,
    Outcome,
    RulesExplanation,
    TargetExplanation,
    Trial,
)
from workflows.resolution.facts import TargetFacts
from workflows.words import CriterionType, LockReason, Role, TargetStatus, TargetStrategy

LISTED_CRITERIA = 20
LONGEST_SENTENCE = 1_000


def choose_target(facts: TargetFacts) -> ResolvedTarget:
    """Choose the target user, unless one was chosen before or the time to choose has not come.

    The strategy is decided at creation and stays; criteria and fallbacks are those in force at the time of the search.
    """
    standing = facts.standing
    if standing is not None and not facts.is_to_be_resolved(standing.status):
        return standing
    strategy = facts.rules.strategy if standing is None else standing.strategy
    if strategy is TargetStrategy.MANUAL:
        return _await_assignment(facts)
    if strategy is TargetStrategy.ON_DISPATCH and standing is None:
        pending = ResolvedTarget(status=TargetStatus.PENDING, strategy=strategy)
        return _explain(pending, facts, "The user is chosen when the activity's time comes.")
    return _search(facts, strategy)


def _await_assignment(facts: TargetFacts) -> ResolvedTarget:
    if facts.standing is None:
        pending = ResolvedTarget(status=TargetStatus.PENDING, strategy=TargetStrategy.MANUAL)
        return _explain(pending, facts, "An operator assigns the user before the activity's time comes.")
    why = "No user is assigned. The strategy MANUAL needs an operator for that."
    failed = ResolvedTarget(status=TargetStatus.FAILED, strategy=TargetStrategy.MANUAL, error_message=why)
    return _explain(failed, facts, why)


def _search(facts: TargetFacts, strategy: TargetStrategy) -> ResolvedTarget:
    trials: list[Trial] = []
    for lock_reason, trial in _run_trials(facts):
        trials.append(trial)
        if (user := chosen_user_id(trial)) is not None:
            found = ResolvedTarget(
                status=TargetStatus.RESOLVED, strategy=strategy, commerce_user_id=user, lock_reason=lock_reason
            )
            return _explain(found, facts, f"The user was found by {trial.type}, {lock_reason}.", trials)
    why = f"No user was found: {'; '.join(describe_failure(trial, facts.channel) for trial in trials)}."
    if len(why) > LONGEST_SENTENCE:
        why = f"{why[: LONGEST_SENTENCE - 1]}…"
    failed = ResolvedTarget(status=TargetStatus.FAILED, strategy=strategy, error_message=why)
    return _explain(failed, facts, why, trials)


def _run_trials(facts: TargetFacts) -> Iterator[tuple[LockReason, Trial]]:
    crowd = Crowd(facts)
    criteria = sorted(_criteria_in_force(facts), key=lambda criterion: criterion.priority)
    for number, criterion in enumerate(criteria, start=1):
        is_listed = number < LISTED_CRITERIA or number == len(criteria)
        listed = LISTED_CANDIDATES if is_listed else NAMED_IN_SENTENCE + 1
        yield LockReason.CRITERIA_MATCH, try_criterion(criterion, crowd, listed=listed)
    for lock_reason, role, is_on in (
        (LockReason.FALLBACK_COMMERCE_REP, Role.COMMERCE_REP, facts.rules.fallback_to_commerce_rep),
        (LockReason.FALLBACK_OWNER, Role.OWNER, facts.rules.fallback_to_owner),
    ):
        criterion = TargetCriterion(type=CriterionType.ROLE_MATCH, config={"role": role.value})
        trial = try_criterion(criterion, crowd, lock_reason) if is_on else _skip_fallback(criterion, lock_reason)
        yield lock_reason, trial


def _skip_fallback(criterion: TargetCriterion, fallback: LockReason) -> Trial:
    return Trial(type=criterion.type, config=criterion.config, fallback=fallback, outcome=Outcome.SWITCHED_OFF)


def _criteria_in_force(facts: TargetFacts) -> tuple[TargetCriterion, ...]:
    return facts.rules.criteria if facts.requested is None else facts.requested


def _explain(target: ResolvedTarget, facts: TargetFacts, summary: str, trials: Sequence[Trial] = ()) -> ResolvedTarget:
    rules, tried = facts.rules, [trial for trial in trials if trial.fallback is None]
    explanation = TargetExplanation(
        moment=facts.moment,
        strategy=target.strategy,
        status=target.status,
        configuration=RulesExplanation(id=rules.id, version=rules.version) if rules.id else None,
        criteria_from=_criteria_source(facts),
        criteria=(*tried[: LISTED_CRITERIA - 1], *tried[LISTED_CRITERIA - 1 :][-1:]),
        more_criteria=max(0, len(tried) - LISTED_CRITERIA),
        fallbacks=tuple(trial for trial in trials if trial.fallback is not None),
        commerce_user_id=target.commerce_user_id,
        lock_reason=target.lock_reason,
        summary=summary,
    )
    return target.model_copy(update={"explanation": explanation.document()})


def _criteria_source(facts: TargetFacts) -> CriteriaSource:
    if facts.requested is not None:
        return CriteriaSource.REQUEST
    return CriteriaSource.CONFIGURATION if facts.rules.id else CriteriaSource.NONE
