"""Try one criterion on the users of a commerce: judge each user, and choose the first of those that fit."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from workflows.messages import TargetCriterion
from workflows.resolution.explanations import CandidateExplanation, Outcome, Trial, Verdict
from workflows.resolution.facts import Candidate, TargetFacts
from workflows.words import Channel, ContactType, CriterionType, LockReason

LISTED_CANDIDATES = 20
NAMED_IN_SENTENCE = 3
LONGEST_MEMORY_DAYS = 36_500
NEARNESS = {verdict: place for place, verdict in enumerate(Verdict)}
REACHED_BY = {
    Channel.WHATSAPP: (ContactType.WHATSAPP, ContactType.PHONE),
    Channel.SMS: (ContactType.PHONE,),
    Channel.CALLCENTER: (ContactType.PHONE,),
    Channel.EMAIL: (ContactType.EMAIL,),
}

WHY = {
    Verdict.TAKEN: "fits and comes first",
    Verdict.ANOTHER_CAME_FIRST: "fits, but another was contacted more recently{where}",
    Verdict.INACTIVE: "is inactive",
    Verdict.UNREACHABLE: "has no {contact} contact",
    Verdict.CONTACTED_TOO_LONG_AGO: "was last contacted{where} over {days} days ago",
    Verdict.NEVER_CONTACTED: "was never contacted{where}",
    Verdict.OTHER_ROLE: "doesn't have the role {role}",
}

Judged = list[tuple[Verdict, Candidate]]


class Crowd:
    """The users of a commerce, sorted once for all criteria, and judged once for all equal ones."""

    def __init__(self, facts: TargetFacts) -> None:
        self.facts = facts
        self._judged: dict[str, Judged] = {}

    def judge(self, criterion: TargetCriterion) -> Judged:
        """Judge the users by a criterion, those nearest to being taken first.

        Users who come too late to be listed may be left out.
        """
        rule = repr((criterion.type, criterion.config.get("role"), criterion.config.get("within_days")))
        if rule not in self._judged:
            find_miss, available = _choose_judge(criterion, self.facts.now), self._available
            judged = [(find_miss(one) or available[one.id], one) for one in self._list_preferred(criterion)]
            judged.sort(key=lambda pair: NEARNESS[pair[0]])  # keeps the order of preference within a verdict
            self._judged[rule] = judged
        return self._judged[rule]

    def _list_preferred(self, criterion: TargetCriterion) -> tuple[Candidate, ...]:
        """List users in the order of the criterion's preference, among them the first that its trial lists."""
        if criterion.type is CriterionType.ROLE_MATCH:
            return self._by_last_contact
        return self._nearest_on_channel if _is_on_channel(criterion) else self._nearest

    @cached_property
    def _available(self) -> dict[UUID, Verdict]:
        """Return the verdict on each user whom a criterion fits."""
        return {one.id: _judge_availability(one, self.facts) for one in self.facts.candidates}

    @cached_property
    def _by_last_contact(self) -> tuple[Candidate, ...]:
        return self._sort(CriterionType.LAST_CONTACTED_ALL_CHANNELS)

    @cached_property
    def _nearest(self) -> tuple[Candidate, ...]:
        return self._keep_nearest(self._by_last_contact)

    @cached_property
    def _nearest_on_channel(self) -> tuple[Candidate, ...]:
        return self._keep_nearest(self._sort(CriterionType.LAST_CONTACTED_SAME_CHANNEL))

    def _sort(self, kind: CriterionType) -> tuple[Candidate, ...]:
        criterion = TargetCriterion(type=kind)
        return tuple(sorted(self.facts.candidates, key=lambda candidate: _sort_key(criterion, candidate)))

    def _keep_nearest(self, preferred: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """Keep the first users of each verdict that doesn't depend on the time of the contact.

        No more of them are listed, whatever the number of days: users whose contact is too old, or who had none, come
        after all others in the same order.
        """
        numbers: defaultdict[Verdict, int] = defaultdict(int)
        kept = []
        for candidate in preferred:
            verdict = self._available[candidate.id]
            numbers[verdict] += 1
            if numbers[verdict] <= LISTED_CANDIDATES:
                kept.append(candidate)
        return tuple(kept)


def try_criterion(
    criterion: TargetCriterion,
    crowd: Crowd,
    fallback: LockReason | None = None,
    *,
    listed: int = LISTED_CANDIDATES,
) -> Trial:
    """Choose, of the candidates that fit, the most recently contacted one, then the one with the lowest id.

    A trial that has chosen a user lists as many candidates as any, one that has not as many as are asked for.
    """
    facts, judged = crowd.facts, crowd.judge(criterion)
    first = judged[0][1] if judged else None
    is_matched = bool(judged) and judged[0][0] is Verdict.ANOTHER_CAME_FIRST
    return Trial(
        type=criterion.type,
        config={name: value for name, value in criterion.config.items() if value is not None},
        priority=criterion.priority,
        fallback=fallback,
        outcome=Outcome.MATCHED if is_matched else Outcome.NOBODY,
        candidates=tuple(
            _explain(Verdict.TAKEN if is_matched and one is first else verdict, one, judged[0][1], criterion, facts)
            for verdict, one in judged[: LISTED_CANDIDATES if is_matched else listed]
        ),
        more_candidates=max(0, facts.number_of_users - LISTED_CANDIDATES),
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


def _judge_availability(candidate: Candidate, facts: TargetFacts) -> Verdict:
    if not candidate.is_active:
        return Verdict.INACTIVE
    needed = REACHED_BY.get(facts.channel)
    reachable = needed is None or not candidate.contact_types.isdisjoint(needed)
    return Verdict.ANOTHER_CAME_FIRST if reachable else Verdict.UNREACHABLE


def _choose_judge(criterion: TargetCriterion, now: datetime) -> Callable[[Candidate], Verdict | None]:
    """Return the function that judges why the criterion doesn't fit a user; it returns None where it fits."""
    if criterion.type is CriterionType.ROLE_MATCH:
        role = criterion.config.get("role")
        return lambda candidate: None if role in candidate.roles else Verdict.OTHER_ROLE
    days = criterion.config.get("within_days")
    since = now - timedelta(days=min(days, LONGEST_MEMORY_DAYS)) if isinstance(days, int) else None

    def judge_contact(candidate: Candidate) -> Verdict | None:
        contacted = _last_contact(criterion, candidate)
        if contacted is None:
            return Verdict.NEVER_CONTACTED
        return Verdict.CONTACTED_TOO_LONG_AGO if since is not None and contacted < since else None

    return judge_contact


def _last_contact(criterion: TargetCriterion, candidate: Candidate) -> datetime | None:
    return candidate.last_contacted_on_channel_at if _is_on_channel(criterion) else candidate.last_contacted_at


def _is_on_channel(criterion: TargetCriterion) -> bool:
    return criterion.type is CriterionType.LAST_CONTACTED_SAME_CHANNEL


def _sort_key(criterion: TargetCriterion, candidate: Candidate) -> tuple[float, UUID]:
    contacted = _last_contact(criterion, candidate)
    return (-contacted.timestamp() if contacted else float("inf")), candidate.id


def _channel_suffix(criterion: CriterionType, channel: Channel) -> str:
    return f" on {channel.value}" if criterion is CriterionType.LAST_CONTACTED_SAME_CHANNEL else ""


def _explain(
    verdict: Verdict, candidate: Candidate, first: Candidate, criterion: TargetCriterion, facts: TargetFacts
) -> CandidateExplanation:
    return CandidateExplanation(
        commerce_user_id=candidate.id,
        verdict=verdict,
        why=_describe_verdict(verdict, candidate, first, criterion, facts),
        last_contacted_at=None if verdict is Verdict.OTHER_ROLE else _last_contact(criterion, candidate),
    )


def _describe_verdict(
    verdict: Verdict, candidate: Candidate, first: Candidate, criterion: TargetCriterion, facts: TargetFacts
) -> str:
    if verdict is Verdict.ANOTHER_CAME_FIRST and _sort_key(criterion, candidate)[0] == _sort_key(criterion, first)[0]:
        return "fits, but another has the lower id"
    return WHY[verdict].format(
        where=_channel_suffix(criterion.type, facts.channel),
        contact=" or ".join(REACHED_BY.get(facts.channel, ())),
        days=criterion.config.get("within_days"),
        role=criterion.config.get("role"),
    )
