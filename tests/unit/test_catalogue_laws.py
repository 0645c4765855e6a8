"""Check the laws that hold for every text that is looked up in a catalogue."""

import sys
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workflows.resolution import match_reason
from workflows.resolution.explanations import ReasonExplanation
from workflows.resolution.facts import CatalogueEntry, ReasonFacts
from workflows.resolution.reasons import fold, make_code

words = st.text(st.characters(categories=("Ll", "Lu", "Nd")), min_size=1, max_size=8)
phrases = st.lists(words, min_size=1, max_size=4).map(" ".join)


@given(phrases, st.sampled_from(("_", "-", "  ", " - ", "\t")), st.booleans())
def test_case_accents_and_separators_never_decide_what_a_text_means(phrase: str, separator: str, shout: bool) -> None:  # noqa: FBT001
    """A text and its disguise mean the same entry."""
    disguised = unicodedata.normalize("NFD", phrase.swapcase() if shout else phrase).replace(" ", separator)
    assume(fold(phrase) == fold(phrase.swapcase()))
    catalogue = (CatalogueEntry(code="other", label="Other"), CatalogueEntry(code="wanted", label=phrase))
    assume(fold(phrase) not in {"other", "wanted"})

    found = match_reason(ReasonFacts(reason=f" {disguised} ", reasons=catalogue))

    assert found.reason.code == "wanted"
    assert ReasonExplanation.model_validate(found.explanation).reason.matched == phrase


@given(st.text(min_size=1))
def test_folding_a_folded_text_changes_nothing_and_every_text_has_a_code(text: str) -> None:
    """Otherwise two spellings could mean different entries."""
    assert fold(fold(text)) == fold(text)
    assert make_code(text)


OF_CATEGORY: dict[str, list[str]] = {"Pd": [], "Cf": []}
for one in map(chr, range(sys.maxunicode)):
    if (category := unicodedata.category(one)) in OF_CATEGORY:
        OF_CATEGORY[category].append(one)


@pytest.mark.parametrize("dash", [*OF_CATEGORY["Pd"], "\u2212", "\u207b", "\u208b"], ids=ascii)
def test_every_dash_separates_like_a_hyphen(dash: str) -> None:
    assert fold(f"Monthly{dash}promotion") == fold(f"monthly {dash} promotion") == "monthly promotion"
    assert fold(f"{dash}Monthly promotion{dash}") == "monthly promotion"
    assert make_code(f"Monthly{dash}promotion") == "monthly_promotion"


def test_format_characters_never_decide_what_a_text_means() -> None:
    assert len(OF_CATEGORY["Cf"]) > 100
    for character in OF_CATEGORY["Cf"]:
        assert fold(f"{character}Mon{character}thly promotion{character}") == "monthly promotion", ascii(character)


@pytest.mark.parametrize(
    "reason", ["Monthly\u2013promotion", "Monthly\u2011promo\u00adtion", "\ufeffMonthly \u2212 promotion"]
)
def test_a_text_from_a_word_processor_means_the_entry_that_it_names(reason: str) -> None:
    catalogue = (CatalogueEntry(code="monthly_promotion", label="Promocion Mensual"),)
    assert match_reason(ReasonFacts(reason=reason, reasons=catalogue)).reason.code == "monthly_promotion"
