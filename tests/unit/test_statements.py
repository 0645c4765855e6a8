"""The statements that every creation sends."""

import pytest
from sqlalchemy import Select, create_engine

from db.creation import RECORD_STATEMENT
from db.facts import CREATION_FACTS

REMEMBERED = 4096
"""Characters up to which psycopg remembers how it has parsed a statement; 50 parameters at most."""


@pytest.mark.parametrize("statement", [CREATION_FACTS, RECORD_STATEMENT], ids=["facts", "record"])
def test_psycopg_need_not_parse_it_anew_for_each_creation(statement: Select[tuple[object, ...]]) -> None:
    compiled = statement.compile(dialect=create_engine("postgresql+psycopg://").dialect)
    lists = str(compiled).count("POSTCOMPILE")
    assert len(str(compiled)) + 40 * lists <= REMEMBERED
    assert len(compiled.params) <= 50
