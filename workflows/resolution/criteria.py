"""Try one criterion on the users of a commerce: judge each user, and choose the first of those that fit."""

from datetime import datetime, timedelta
from uuid import UUID

from workflows.messages import TargetCriterion
from workflows.resolution.explanations import CandidateExplanation, Outcome, Trial, Verdict
from workflows.resolution.facts import Candidate, TargetFacts
from workflows.words import Channel, ContactType, CriterionType, LockReason

LISTED_CANDIDATES = 10
NAMED_IN_SENTENCE = 3
LONGEST_MEMORY_DAYS = 36_500
NEARNESS = {verdict: place for place, verdict in enumerate(Verdict)}
REACHED_BY = {
    Channel.WHATSAPP: (ContactType.WHATSAPP, ContactType.PHONE),
    Channel.SMS: (ContactType.PHONE,),
    Channel.CALLCENTER: (ContactType.PHONE,),
    Channel.EMAIL: (ContactType.EMAIL,),
}


def try_criterion(criterion: TargetCriterion, facts: TargetFacts, fallback: LockReason | None = None) -> Trial:
    """Choose, of the candidates that fit, the most recently contacted one, then the one with the lowest id."""
    seen = [(_judge(criterion, candidate, facts), candidate) for candidate in facts.candidates]
    seen.sort(key=lambda pair: (NEARNESS[pair[0]], *_sort_key(criterion, pair[1])))
    if matched := bool(seen) and seen[0][0] is Verdict.ANOTHER_CAME_FIRST:
        seen[0] = (Verdict.TAKEN, seen[0][1])
    return Trial(
        type=criterion.type,
        config={name: value for name, value in criterion.config.items() if value is not None},
        priority=criterion.priority,
        fallback=fallback,
        outcome=Outcome.MATCHED if matched else Outcome.NOBODY,
        candidates=tuple(
            CandidateExplanation(
                commerce_user_id=candidate.id,
                verdict=verdict,
                why=_describe_verdict(verdict, candidate, seen[0][1], criterion, facts),
                last_contacted_at=None if verdict is Verdict.OTHER_ROLE else _last_contact(criterion, candidate),
            )
            for verdict, candidate in seen[:LISTED_CANDIDATES]
        ),
        more_candidates=max(0, len(seen) - LISTED_CANDIDATES),
    )


def chosen_user_id(trial: Trial) -> UUID | None:
    """Return the user that a trial has found; None if it has found no user."""
    return trial.candidates[0].commerce_user_id if trial.outcome is Outcome.MATCHED else None


def describe_failure(trial: Trial, channel: Channel) -> str:
    """Describe in a clause why a trial found no user; name by id the users that came close."""
    name = trial.type.value if trial.type is not CriterionType.ROLE_MATCH else f"role {trial.config.get('role')}"
    if trial.fallback is not None:
        name = f"fallback to {trial.config['role']}"
    if trial.outcome is Outcome.SWITCHED_OFF:
        return f"{name}: switched off"
    near = [one for one in trial.candidates if one.verdict not in {Verdict.OTHER_ROLE, Verdict.NEVER_CONTACTED}]
    if not near:
        return f"{name}: {_describe_empty_search(trial, channel)}"
    named = ", ".join(f"user {one.commerce_user_id} {one.why}" for one in near[:NAMED_IN_SENTENCE])
    return f"{name}: {named}{', and so on for others' if len(near) > NAMED_IN_SENTENCE else ''}"


def _describe_empty_search(trial: Trial, channel: Channel) -> str:
    if not trial.candidates:
        return "the commerce has no users"
    if trial.type is CriterionType.ROLE_MATCH:
        return "no user has this role"
    return f"no user was ever contacted{_channel_suffix(trial.type, channel)}"


def _judge(criterion: TargetCriterion, candidate: Candidate, facts: TargetFacts) -> Verdict:
    if criterion.type is CriterionType.ROLE_MATCH:
        misses = None if criterion.config.get("role") in candidate.roles else Verdict.OTHER_ROLE
    else:
        misses = _judge_contact(criterion, candidate, facts.now)
    if misses is not None:
        return misses
    if not candidate.is_active:
        return Verdict.INACTIVE
    needed = REACHED_BY.get(facts.channel)
    reachable = needed is None or not candidate.contact_types.isdisjoint(needed)
    return Verdict.ANOTHER_CAME_FIRST if reachable else Verdict.UNREACHABLE


def _judge_contact(criterion: TargetCriterion, candidate: Candidate, now: datetime) -> Verdict | None:
    contacted = _last_contact(criterion, candidate)
    if contacted is None:
        return Verdict.NEVER_CONTACTED
    days = criterion.config.get("within_days")
    if isinstance(days, int) and contacted < now - timedelta(days=min(days, LONGEST_MEMORY_DAYS)):
        return Verdict.CONTACTED_TOO_LONG_AGO
    return None


def _last_contact(criterion: TargetCriterion, candidate: Candidate) -> datetime | None:
    if criterion.type is CriterionType.LAST_CONTACTED_SAME_CHANNEL:
        return candidate.last_contacted_on_channel_at
    return candidate.last_contacted_at


def _sort_key(criterion: TargetCriterion, candidate: Candidate) -> tuple[float, UUID]:
    contacted = _last_contact(criterion, candidate)
    return (-contacted.timestamp() if contacted else float("inf")), candidate.id


def _channel_suffix(criterion: CriterionType, channel: Channel) -> str:
    return f" on {channel.value}" if criterion is CriterionType.LAST_CONTACTED_SAME_CHANNEL else ""


def _describe_verdict(
    verdict: Verdict, candidate: Candidate, first: Candidate, criterion: TargetCriterion, facts: TargetFacts
) -> str:
    where, days = _channel_suffix(criterion.type, facts.channel), criterion.config.get("within_days")
    tied = _sort_key(criterion, candidate)[0] == _sort_key(criterion, first)[0]
    return {
        Verdict.TAKEN: "fits and comes first",
        Verdict.ANOTHER_CAME_FIRST: "fits, but another has the lower id"
        if tied
        else f"fits, but another was contacted more recently{where}",
        Verdict.INACTIVE: "is inactive",
        Verdict.UNREACHABLE: f"has no {' or '.join(REACHED_BY.get(facts.channel, ()))} contact",
        Verdict.CONTACTED_TOO_LONG_AGO: f"was last contacted{where} over {days} days ago",
        Verdict.NEVER_CONTACTED: f"was never contacted{where}",
        Verdict.OTHER_ROLE: f"doesn't have the role {criterion.config.get('role')}",
    }[verdict]
