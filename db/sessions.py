"""The arguments of every connection to PostgreSQL: what its session sets, and how long it waits."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import URL

from db.roles import TENANT_SETTING

PATIENCE: Mapping[str, Any] = MappingProxyType(
    {
        "connect_timeout": 3,
        "tcp_user_timeout": 5000,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    }
)
"""A silent server is noticed within seconds, also by a session that only listens."""

DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "search_path": '"$user",public',
        "statement_timeout": "0",
        "lock_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
        "transaction_timeout": "0",
        "idle_session_timeout": "0",
    }
)
"""Each is PostgreSQL's own default, so that those of a server, a database or a role have no effect."""

LONGEST_TRANSACTION = timedelta(minutes=1)
"""A change is visible so long after its time at the latest: readers that follow changes rely on it."""

LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "statement_timeout": "8s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "15s",
        "transaction_timeout": "1min",  # as LONGEST_TRANSACTION says
        "jit": "off",  # it would compile the statement that reads many users for longer than that reads them
    }
)
"""The limits of the pools."""

FIXED: Mapping[str, str] = MappingProxyType(
    {
        "synchronous_commit": "on",  # what was answered 201 outlasts a crash
        "default_transaction_isolation": "read committed",  # after a lock, what its holder committed is seen
        "DateStyle": "ISO,MDY",  # psycopg reads timestamps in no other style
        "IntervalStyle": "postgres",  # as DateStyle
        "TimeZone": "UTC",  # times leave the service as they are read
        "extra_float_digits": "1",  # no number loses digits
        "array_nulls": "on",  # a null in an array isn't the text NULL
        "standard_conforming_strings": "on",  # a backslash in a literal is a backslash
        "exit_on_error": "off",  # a refused row ends its statement, and not the session
        "gin_fuzzy_search_limit": "0",  # a search by an index of names finds all of them
        "transform_null_equals": "off",  # nothing equals NULL
        "row_security": "on",  # rows of other tenants are hidden, and don't make each statement an error
        TENANT_SETTING: "",  # without a tenant no row is seen
    }
)
"""Correctness rests on these: they take precedence over the options of the URL as well."""


def connect_arguments(url: URL, limits: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """Return psycopg's arguments for a URL: SQLAlchemy reads it, because libpq reads `+` for a space differently.

    What the URL sets takes precedence over `PATIENCE`, `DEFAULTS` and `limits`, but not over `FIXED`.
    """
    _, arguments = url.get_dialect()().create_connect_args(url)
    options = (_as_options({**DEFAULTS, **limits}), *url.normalized_query.get("options", ()), _as_options(FIXED))
    return {**PATIENCE, **arguments, "client_encoding": "utf8", "options": " ".join(options)}


def _as_options(settings: Mapping[str, str]) -> str:
    """Write settings as libpq's `options`, in which a space ends a word."""
    return " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in settings.items())
