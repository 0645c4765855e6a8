"""Resolve what a request only describes: pure functions from loaded facts to an explained decision."""

from workflows.resolution.attributes import choose_attributes
from workflows.resolution.decision import Decision, decide, decide_in_order, why_unresolved
from workflows.resolution.reasons import match_reason
from workflows.resolution.targets import choose_target

__all__ = [
    "Decision",
    "choose_attributes",
    "choose_target",
    "decide",
    "decide_in_order",
    "match_reason",
    "why_unresolved",
]
