"""Finds what a free text means in a tenant's catalogue: case, accents and kinds of separators don't matter."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from heapq import nlargest

from workflows.messages import Fault, Label, RejectedError, Rejection, ResolvedReason
from workflows.resolution.explanations import (
    MatchedBy,
    ReasonExplanation,
    TextExplanation,
)
from workflows.resolution.facts import CatalogueEntry, ReasonFacts

SEPARATORS = re.compile(r"[\s_-]+")
LONGEST_COMPARED = 100
LIKELY = 20
CLOSEST = 3


def fold(text: str) -> str:
    """Reduce a text to what counts: no case, no accents, one space for any run of spaces, underscores and hyphens."""
    if text.isascii():
        return SEPARATORS.sub(" ", text.lower()).strip()
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return SEPARATORS.sub(" ", plain).strip()


def slug(text: str) -> str:
    """Make a code of a text that no catalogue knows; a text without any letter or digit is its own code."""
    return re.sub(r"\W+", "_", fold(text)).strip("_") or text


def shortened(text: str) -> str:
    """Quote a caller's text without repeating a novel."""
    return text if len(text) <= LONGEST_COMPARED else f"{text[:LONGEST_COMPARED]}…"


def closest(text: str, names: Iterable[str]) -> list[str]:
    """Name the few that resemble the text most, or the first few when none does."""
    sought = fold(text)[:LONGEST_COMPARED]
    by_folded = {fold(name)[:LONGEST_COMPARED]: name for name in sorted(names, reverse=True)}
    # Comparing is slow, and catalogues may be long: only those are compared that share most pairs of letters.
    pairs = _pairs(sought)
    likely = nlargest(LIKELY, by_folded, key=lambda folded: (len(pairs & _pairs(folded)) / (len(folded) + 1), folded))
    near = get_close_matches(sought, likely, n=CLOSEST, cutoff=0.4)
    return [by_folded[folded] for folded in near] or sorted(by_folded.values())[:CLOSEST]


def _pairs(text: str) -> set[str]:
    return {text[place : place + 2] for place in range(len(text) - 1)}


def match(text: str, catalogue: Iterable[CatalogueEntry], pointer: str, code: str) -> tuple[Label, TextExplanation]:
    """Give the active entry that the text means, by its code rather than a label, by a label rather than an alias.

    Raises:
        RejectedError: with `code` and the closest codes, when the text means no active entry.

    """
    entries = sorted(catalogue, key=lambda entry: entry.code)
    if not entries:
        passed = Label(code=slug(text), label=text)
        return passed, TextExplanation(text=text, code=passed.code, matched_by=MatchedBy.PASSED_THROUGH)
    found = list(_matches(text, [entry for entry in entries if entry.is_active]))
    if not found:
        raise RejectedError(_unknown(text, entries, pointer, code))
    entry, matched_by, matched = found[0]
    others = dict.fromkeys(other.code for other, _, _ in found if other.code != entry.code)
    explanation = TextExplanation(
        text=text, code=entry.code, matched_by=matched_by, matched=matched, also_matching=tuple(others)[:CLOSEST]
    )
    return Label(code=entry.code, label=entry.label), explanation


def _matches(text: str, entries: list[CatalogueEntry]) -> Iterator[tuple[CatalogueEntry, MatchedBy, str]]:
    folded = fold(text)
    yield from ((entry, MatchedBy.CODE, text) for entry in entries if entry.code == text)
    yield from ((entry, MatchedBy.CODE, entry.code) for entry in entries if fold(entry.code) == folded)
    yield from ((entry, MatchedBy.LABEL, entry.label) for entry in entries if fold(entry.label) == folded)
    for entry in entries:
        yield from ((entry, MatchedBy.ALIAS, alias) for alias in entry.aliases if fold(alias) == folded)


def _unknown(text: str, entries: list[CatalogueEntry], pointer: str, code: str) -> Rejection:
    field = pointer.removeprefix("/").replace("_", " ")
    inactive = next(_matches(text, entries), None)
    if inactive is not None:
        detail = f"The {field} “{shortened(text)}” means “{inactive[0].code}”, which is no longer active."
    else:
        detail = f"No {field} is called “{shortened(text)}”."
    active = [entry for entry in entries if entry.is_active]
    codes = _closest_codes(text, active)
    if codes:
        detail += f" The closest codes are: {', '.join(codes)}."
    return Rejection(code=code, detail=detail, faults=(Fault(pointer=pointer, detail=detail),))


def _closest_codes(text: str, entries: list[CatalogueEntry]) -> list[str]:
    codes = {name: entry.code for entry in reversed(entries) for name in (*entry.aliases, entry.label, entry.code)}
    return list(dict.fromkeys(codes[name] for name in closest(text, codes)))


def match_reason(facts: ReasonFacts) -> ResolvedReason:
    """Match the reason, and the user status if given, with the tenant's catalogues.

    Raises:
        RejectedError: when one of them means no active entry; the reason is looked at first.

    """
    reason, why_reason = match(facts.reason, facts.reasons, "/reason", "unknown_reason")
    if facts.user_status is None:
        return ResolvedReason(reason=reason, explanation=ReasonExplanation(reason=why_reason).document())
    user_status, why_status = match(facts.user_status, facts.user_statuses, "/user_status", "unknown_user_status")
    explanation = ReasonExplanation(reason=why_reason, user_status=why_status)
    return ResolvedReason(reason=reason, user_status=user_status, explanation=explanation.document())
