"""Chooses the target user of an activity, and explains the choice."""

from collections.abc import Iterator, Sequence

from workflows.messages import ResolvedTarget, TargetCriterion
from workflows.resolution.criteria import failure, taken_by, try_criterion
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
    """Choose whom the activity is aimed at; what was chosen before, and what isn't due yet, comes back as it stands.

    The strategy is decided at creation and stays; criteria and fallbacks are those in force when the search is made.
    """
    standing = facts.standing
    if standing is not None and not facts.calls_for(standing.status):
        return standing
    strategy = facts.rules.strategy if standing is None else standing.strategy
    if strategy is TargetStrategy.MANUAL:
        return _unassigned(facts)
    if strategy is TargetStrategy.ON_DISPATCH and standing is None:
        pending = ResolvedTarget(status=TargetStatus.PENDING, strategy=strategy)
        return _explained(pending, facts, "The user is looked for when the activity's time comes.")
    return _search(facts, strategy)


def _unassigned(facts: TargetFacts) -> ResolvedTarget:
    if facts.standing is None:
        pending = ResolvedTarget(status=TargetStatus.PENDING, strategy=TargetStrategy.MANUAL)
        return _explained(pending, facts, "An operator assigns the user before the activity's time comes.")
    why = "No user was assigned before the activity's time came: the strategy is MANUAL, so an operator has to."
    failed = ResolvedTarget(status=TargetStatus.FAILED, strategy=TargetStrategy.MANUAL, error_message=why)
    return _explained(failed, facts, why)


def _search(facts: TargetFacts, strategy: TargetStrategy) -> ResolvedTarget:
    trials: list[Trial] = []
    for lock_reason, trial in _trials(facts):
        trials.append(trial)
        if (user := taken_by(trial)) is not None:
            found = ResolvedTarget(
                status=TargetStatus.RESOLVED, strategy=strategy, commerce_user_id=user, lock_reason=lock_reason
            )
            return _explained(found, facts, f"The user was found by {trial.type}, {lock_reason}.", trials)
    why = f"Nobody was found: {'; '.join(failure(trial, facts.channel) for trial in trials)}."
    if len(why) > LONGEST_SENTENCE:
        why = f"{why[: LONGEST_SENTENCE - 1]}…"
    failed = ResolvedTarget(status=TargetStatus.FAILED, strategy=strategy, error_message=why)
    return _explained(failed, facts, why, trials)


def _trials(facts: TargetFacts) -> Iterator[tuple[LockReason, Trial]]:
    for criterion in sorted(_criteria(facts), key=lambda criterion: criterion.priority):
        yield LockReason.CRITERIA_MATCH, try_criterion(criterion, facts)
    for lock_reason, role, is_on in (
        (LockReason.FALLBACK_COMMERCE_REP, Role.COMMERCE_REP, facts.rules.fallback_to_commerce_rep),
        (LockReason.FALLBACK_OWNER, Role.OWNER, facts.rules.fallback_to_owner),
    ):
        criterion = TargetCriterion(type=CriterionType.ROLE_MATCH, config={"role": role.value})
        trial = try_criterion(criterion, facts, lock_reason) if is_on else _switched_off(criterion, lock_reason)
        yield lock_reason, trial


def _switched_off(criterion: TargetCriterion, fallback: LockReason) -> Trial:
    return Trial(type=criterion.type, config=criterion.config, fallback=fallback, outcome=Outcome.SWITCHED_OFF)


def _criteria(facts: TargetFacts) -> tuple[TargetCriterion, ...]:
    return facts.rules.criteria if facts.requested is None else facts.requested


def _explained(
    target: ResolvedTarget, facts: TargetFacts, summary: str, trials: Sequence[Trial] = ()
) -> ResolvedTarget:
    rules, tried = facts.rules, [trial for trial in trials if trial.fallback is None]
    explanation = TargetExplanation(
        moment=facts.moment,
        strategy=target.strategy,
        status=target.status,
        configuration=RulesExplanation(id=rules.id, version=rules.version) if rules.id else None,
        criteria_from=_source(facts),
        criteria=(*tried[: LISTED_CRITERIA - 1], *tried[LISTED_CRITERIA - 1 :][-1:]),
        more_criteria=max(0, len(tried) - LISTED_CRITERIA),
        fallbacks=tuple(trial for trial in trials if trial.fallback is not None),
        commerce_user_id=target.commerce_user_id,
        lock_reason=target.lock_reason,
        summary=summary,
    )
    return target.model_copy(update={"explanation": explanation.document()})


def _source(facts: TargetFacts) -> CriteriaSource:
    if facts.requested is not None:
        return CriteriaSource.REQUEST
    return CriteriaSource.CONFIGURATION if facts.rules.id else CriteriaSource.NONE
