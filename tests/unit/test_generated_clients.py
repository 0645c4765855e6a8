"""Test that what is committed of the generated clients is made of the committed document."""

import filecmp
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from activities_client.lines import LINES_OF_A_REQUEST
from api.activities.batch import AHEAD
from clients.generate import (
    BRUNO,
    PYTHON_CLIENT,
    TYPESCRIPT_HASH,
    generate_bruno,
    generate_python,
    hash_document,
)


def files(folder: Path) -> list[str]:
    """List the files of a folder, without what imports have compiled."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(str(path.relative_to(folder)) for path in found)


@pytest.mark.parametrize(
    ("folder", "generate"),
    [(PYTHON_CLIENT, generate_python), (BRUNO, generate_bruno)],
    ids=["python", "bruno"],
)
def test_what_is_committed_is_generated_from_the_document(
    tmp_path: Path, folder: Path, generate: Callable[[Path], None]
) -> None:
    """After a change of the API: `make generate`."""
    generate(tmp_path / "generated")
    generated = files(tmp_path / "generated")
    assert files(folder) == generated
    assert filecmp.cmpfiles(tmp_path / "generated", folder, generated, shallow=False)[1:] == ([], [])


def test_the_typescript_client_is_generated_from_this_document() -> None:
    """After a change of the API: `make generate`. `make clients` compares the files themselves."""
    assert TYPESCRIPT_HASH.read_text() == hash_document()


def test_no_client_sends_more_lines_than_the_api_reads_ahead() -> None:
    """Both send a request to its end before they read the first result."""
    typescript = (PYTHON_CLIENT.parents[2] / "typescript" / "src" / "lines.ts").read_text()
    sent = [LINES_OF_A_REQUEST, *map(int, re.findall(r"LINES_OF_A_REQUEST = (\d+);", typescript))]
    assert len(sent) == 2
    assert max(sent) <= AHEAD
