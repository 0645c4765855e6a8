"""How to open PostgreSQL, the same way in every process."""

import json
import math
from decimal import Decimal
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_SESSION = "-c statement_timeout=8s -c lock_timeout=5s -c idle_in_transaction_session_timeout=15s"
_LONG = 40
_BESIDE: WeakKeyDictionary[Engine, AsyncEngine] = WeakKeyDictionary()


def open_engine(url: str, pool_size: int = 20) -> AsyncEngine:
    """Open a pool that notices a dead server within seconds, whether it refuses, keeps silent or is slow."""
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "hide_parameters": True,
        "json_deserializer": partial(json.loads, parse_int=_integer),
        "pool_timeout": 5,
        "connect_args": {"connect_timeout": 3, "tcp_user_timeout": 5000, "options": _SESSION},
    }
    engine = create_async_engine(url, **options)
    single = create_async_engine(url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, **options)
    _BESIDE[engine.sync_engine] = single
    event.listen(engine.sync_engine, "engine_disposed", lambda _: single.sync_engine.dispose())
    return engine


def _integer(digits: str) -> int | float:
    """PostgreSQL spells 1e308 out; a float of the same value stays as short as it was sent."""
    short = float(digits) if len(digits) > _LONG else math.inf
    return short if math.isfinite(short) and Decimal(repr(short)) == Decimal(digits) else int(digits)


def autocommit(engine: AsyncEngine) -> AsyncEngine:
    """The pool beside it for single statements: each its own transaction, without BEGIN and COMMIT on the wire.

    Its connections never leave that mode: to switch one at every checkout cost more than the statement itself.
    """
    return _BESIDE[engine.sync_engine]
