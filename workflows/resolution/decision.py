"""The decision that follows from a resolution: READY, or UNRESOLVED and why."""

from workflows.messages import ResolvedAttributes, ResolvedTarget
from workflows.words import AttributeStatus, TargetStatus


def why_unresolved(target: ResolvedTarget | None, attributes: ResolvedAttributes | None) -> str | None:
    """Why it can't be READY, in words, or None if it can."""
    failed = [
        f"attribute {one.key}: {one.error_message}"
        for one in (attributes.attributes if attributes else ())
        if one.status is AttributeStatus.FAILED
    ]
    if target and target.status is TargetStatus.FAILED:
        failed.insert(0, f"target user: {target.error_message}")
    return "; ".join(failed) or None
