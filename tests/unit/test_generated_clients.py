"""Test that what is committed of the generated clients is made of the committed document."""

import filecmp
from pathlib import Path

from clients.generate import PYTHON_CLIENT, TYPESCRIPT_HASH, generate_python, hash_document


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if "__pycache__" not in path.parts)


def test_the_python_client_is_generated_from_the_document(tmp_path: Path) -> None:
    """After a change of the API: `make generate`."""
    generate_python(tmp_path / "generated")
    generated = files(tmp_path / "generated")
    assert files(PYTHON_CLIENT) == generated
    regular = [name for name in generated if (PYTHON_CLIENT / name).is_file()]
    assert filecmp.cmpfiles(tmp_path / "generated", PYTHON_CLIENT, regular, shallow=False)[1:] == ([], [])


def test_the_typescript_client_is_generated_from_this_document() -> None:
    """After a change of the API: `make generate`. `make clients` compares the files themselves."""
    assert TYPESCRIPT_HASH.read_text() == hash_document()
