"""Test what migrations say about the code that works with them."""

from alembic.script import ScriptDirectory

from db import migrations, schema

CHAIN = list(ScriptDirectory(migrations.__path__[0]).walk_revisions())[::-1]


def test_the_migrations_are_one_chain() -> None:
    assert [one.down_revision for one in CHAIN] == [None, *(one.revision for one in CHAIN[:-1])]


def test_each_migration_names_the_oldest_code_and_none_brings_older_code_back() -> None:
    places = {one.revision: place for place, one in enumerate(CHAIN)}
    named = [places[one.module.oldest_code] for one in CHAIN]
    assert all(oldest <= place for place, oldest in enumerate(named))
    assert named == sorted(named)


def test_a_start_knows_the_same_revisions_without_alembic() -> None:
    assert list(schema.known_revisions()) == [one.revision for one in reversed(CHAIN)]
