"""Find the catalogue entry that a free text means; case, accents and kinds of separators don't matter."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from heapq import nlargest

from workflows.limits import INDEXED_BYTES
from workflows.messages import Fault, Label, RejectedError, Rejection, ResolvedReason
from workflows.resolution.explanations import MatchedBy, ReasonExplanation, TextExplanation
from workflows.resolution.facts import CatalogueEntry, ReasonFacts, SimilarName

SEPARATORS = re.compile(r"[\s_-]+")
LONGEST_COMPARED = 100
LIKELY = 20
CLOSEST = 3
MINUS_SIGN = "\u2212"
"""A mathematical symbol in Unicode; word processors put it in a hyphen's place."""


@lru_cache(maxsize=1_000)
def fold(text: str) -> str:
    """Fold a text for comparison: no case, accents or format characters, one space for each run of separators.

    White space, underscores and all dashes separate.
    """
    if text.isascii():
        return SEPARATORS.sub(" ", text.lower()).strip()
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    # Each character is looked up once: a text may be long, and some characters stand for eighteen.
    plain = {ord(character): _plain(character) for character in set(decomposed)}
    return SEPARATORS.sub(" ", decomposed.translate(plain)).strip()


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Pd" or character == MINUS_SIGN:
        return "-"
    return "" if category == "Cf" or unicodedata.combining(character) else character


def make_code(text: str) -> str:
    """Make a code from a text that no catalogue knows; a text without any letter or digit is its own code.

    A code is in an index: it is cut to the bytes that fit.
    """
    code = re.sub(r"\W+", "_", fold(text)).strip("_") or text
    return code.encode(errors="ignore")[:INDEXED_BYTES].decode(errors="ignore")


def shorten(text: str) -> str:
    """Cut a caller's text to the length at which an error quotes it."""
    return text if len(text) <= LONGEST_COMPARED else f"{text[:LONGEST_COMPARED]}…"


def find_closest(text: str, names: Iterable[str]) -> list[str]:
    """Find the few names that resemble the text most, or return the first few when none does."""
    sought = _fold_beginning(text)
    by_folded = {_fold_beginning(name): name for name in sorted(names, reverse=True)}
    # Comparing is slow and catalogues may be long: only the names that share most pairs of letters are compared.
    pairs = _letter_pairs(sought)
    likely = nlargest(
        LIKELY, by_folded, key=lambda folded: (len(pairs & _letter_pairs(folded)) / (len(folded) + 1), folded)
    )
    near = get_close_matches(sought, likely, n=CLOSEST, cutoff=0.4)
    return [by_folded[folded] for folded in near] or sorted(by_folded.values())[:CLOSEST]


def _fold_beginning(text: str) -> str:
    """Fold as much of a text as is compared: names are many, and some characters stand for eighteen."""
    decomposed = unicodedata.normalize("NFKD", text[: 2 * LONGEST_COMPARED])
    return fold(decomposed[: 2 * LONGEST_COMPARED])[:LONGEST_COMPARED]


def _letter_pairs(text: str) -> set[str]:
    return {text[place : place + 2] for place in range(len(text) - 1)}


def match(
    text: str,
    catalogue: Iterable[CatalogueEntry],
    pointer: str,
    code: str,
    similar: Iterable[SimilarName] | None = None,
) -> tuple[Label, TextExplanation]:
    """Return the active entry that the text means: a code goes before a label, a label before an alias.

    `similar` are the names to suggest if the text means no active entry. Without them the catalogue is a whole one, or
    has the entries that match.

    Raises:
        RejectedError: with `code` and the closest codes, when the text means no active entry.
    """
    entries = sorted(catalogue, key=lambda entry: entry.code)
    if not entries and similar is None:
        passed = Label(code=make_code(text), label=text)
        return passed, TextExplanation(text=text, code=passed.code, matched_by=MatchedBy.PASSED_THROUGH)
    found = list(_find_matches(text, [entry for entry in entries if entry.is_active]))
    if not found:
        names = _list_active_names(entries) if similar is None else similar
        raise RejectedError(_compose_rejection(text, entries, _find_closest_codes(text, names), pointer, code))
    entry, matched_by, matched = found[0]
    others = dict.fromkeys(other.code for other, _, _ in found if other.code != entry.code)
    explanation = TextExplanation(
        text=text, code=entry.code, matched_by=matched_by, matched=matched, also_matching=tuple(others)[:CLOSEST]
    )
    return Label(code=entry.code, label=entry.label), explanation


def _find_matches(text: str, entries: list[CatalogueEntry]) -> Iterator[tuple[CatalogueEntry, MatchedBy, str]]:
    folded = fold(text)
    yield from ((entry, MatchedBy.CODE, text) for entry in entries if entry.code == text)
    yield from ((entry, MatchedBy.CODE, entry.code) for entry in entries if fold(entry.code) == folded)
    yield from ((entry, MatchedBy.LABEL, entry.label) for entry in entries if fold(entry.label) == folded)
    for entry in entries:
        yield from ((entry, MatchedBy.ALIAS, alias) for alias in entry.aliases if fold(alias) == folded)


def _compose_rejection(
    text: str, entries: list[CatalogueEntry], closest: list[str], pointer: str, code: str
) -> Rejection:
    field = pointer.removeprefix("/").replace("_", " ")
    inactive = next(_find_matches(text, entries), None)
    if inactive is not None:
        detail = f"The {field} “{shorten(text)}” means “{inactive[0].code}”, which is no longer active."
    else:
        detail = f"No {field} is called “{shorten(text)}”."
    if closest:
        detail += f" The closest codes are: {', '.join(closest)}."
    return Rejection(code=code, detail=detail, faults=(Fault(pointer=pointer, detail=detail),))


def _list_active_names(entries: list[CatalogueEntry]) -> Iterator[SimilarName]:
    for entry in entries:
        if entry.is_active:
            yield from (SimilarName(name=name, code=entry.code) for name in (*entry.aliases, entry.label, entry.code))


def _find_closest_codes(text: str, names: Iterable[SimilarName]) -> list[str]:
    codes = {one.name: one.code for one in sorted(names, key=lambda one: one.code, reverse=True)}
    return list(dict.fromkeys(codes[name] for name in find_closest(text, codes)))


def match_reason(facts: ReasonFacts) -> ResolvedReason:
    """Match the reason, then the user status if given, with the tenant's catalogues.

    Raises:
        RejectedError: when one of them means no active entry.
    """
    reason, why_reason = match(facts.reason, facts.reasons, "/reason", "unknown_reason", facts.similar_reasons)
    if facts.user_status is None:
        return ResolvedReason(reason=reason, explanation=ReasonExplanation(reason=why_reason).document())
    user_status, why_status = match(
        facts.user_status, facts.user_statuses, "/user_status", "unknown_user_status", facts.similar_user_statuses
    )
    explanation = ReasonExplanation(reason=why_reason, user_status=why_status)
    return ResolvedReason(reason=reason, user_status=user_status, explanation=explanation.document())
