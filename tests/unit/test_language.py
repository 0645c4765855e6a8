"""Check the words of docstrings, comments, messages and documents: plain technical English, verb and object first."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_OURS = {"node_modules", "generated"}
THE_CONTRACT = "docs/create-activity.md"
QUESTIONS = re.compile(r"(What|Who|Whom|Whose|Whether|How|Where|When|Why|Which)\b")
RIDDLES = re.compile(r"\b(nobody|somebody|whoever|whomever|shall|be it|all the same)\b", re.IGNORECASE)


def sources(pattern: str) -> list[Path]:
    """List the files that are checked, by their path below the root."""
    folders = (path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = chain(ROOT.glob(pattern), *(folder.rglob(pattern) for folder in folders))
    return sorted(path for path in (one.relative_to(ROOT) for one in found) if not NOT_OURS & set(path.parts))


@cache
def read(path: Path) -> tuple[str, ast.Module]:
    """Return a source and its syntax tree."""
    source = (ROOT / path).read_text()
    return source, ast.parse(source)


def docstrings(path: Path) -> Iterator[str]:
    """Yield the docstrings, those that stand below a variable among them."""
    _, tree = read(path)
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as text)):
                yield text


def prose(path: Path) -> Iterator[str]:
    """Yield all text constants, docstrings among them, and the comments of a source that has a riddle anywhere."""
    source, tree = read(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    if not RIDDLES.search(source):  # most have none, and finding their comments takes longer than all else
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def test_no_docstring_opens_with_a_question_word() -> None:
    found = [
        (path, text.splitlines()[0]) for path in sources("*.py") for text in docstrings(path) if QUESTIONS.match(text)
    ]
    assert found == []


def test_docstrings_comments_and_messages_name_their_subject() -> None:
    # NOBODY is a stored name, and "nobody" alone a user of the system: neither is prose.
    found = [
        (path, text)
        for path in sources("*.py")
        if path.name != "test_language.py"
        for text in prose(path)
        if text != "nobody" and RIDDLES.search(text.replace("NOBODY", ""))
    ]
    assert found == []


def test_documents_name_their_subject() -> None:
    found = [
        (path, line)
        for path in sources("*.md")
        if str(path) != THE_CONTRACT
        for line in (ROOT / path).read_text().splitlines()
        if RIDDLES.search(line.replace("NOBODY", ""))
    ]
    assert found == []
