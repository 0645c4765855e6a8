"""The decision of a creation: its parts in the order of the contract, and whether the activity is READY."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from workflows.messages import (
    Record,
    ResolvedAttributes,
    ResolvedReason,
    ResolvedTarget,
    ScheduledActivityInput,
)
from workflows.resolution.attributes import choose_attributes
from workflows.resolution.facts import AttributeFacts, ReasonFacts, TargetFacts
from workflows.resolution.reasons import match_reason
from workflows.resolution.targets import choose_target
from workflows.words import AttributeStatus, TargetStatus


class Decision(NamedTuple):
    """The resolved parts of a creation, each with its explanation."""

    reason: ResolvedReason
    target: ResolvedTarget
    attributes: ResolvedAttributes

    def as_record(self, scheduled: ScheduledActivityInput) -> Record:
        """Return the message that asks for this decision to be written."""
        return Record(scheduled=scheduled, reason=self.reason, target=self.target, attributes=self.attributes)


def decide(reason: ReasonFacts, target: TargetFacts, attributes: AttributeFacts) -> Decision:
    """Decide a creation from its facts.

    Raises:
        RejectedError: the first part, in the order of the contract, that the caller has to mend.
    """
    return decide_in_order(
        partial(match_reason, reason), partial(choose_target, target), partial(choose_attributes, attributes)
    )


def decide_in_order(
    reason: Callable[[], ResolvedReason],
    target: Callable[[], ResolvedTarget],
    attributes: Callable[[], ResolvedAttributes],
) -> Decision:
    """Ask for the parts in the order of the contract: reason and user status, target user, attributes.

    The first part that raises decides which failure the caller reads.
    """
    return Decision(reason=reason(), target=target(), attributes=attributes())


def why_unresolved(target: ResolvedTarget | None, attributes: ResolvedAttributes | None) -> str | None:
    """Return the sentence that says why the activity is UNRESOLVED; None if it is READY."""
    failed = [
        f"attribute {one.key}: {one.error_message}"
        for one in (attributes.attributes if attributes else ())
        if one.status is AttributeStatus.FAILED
    ]
    if target and target.status is TargetStatus.FAILED:
        failed.insert(0, f"target user: {target.error_message}")
    return "; ".join(failed) or None
