"""How to open PostgreSQL, the same way in every process."""

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from settings import DatabaseSettings

_SESSION = "-c statement_timeout=8s -c lock_timeout=5s -c idle_in_transaction_session_timeout=15s"


def open_engine(settings: DatabaseSettings) -> AsyncEngine:
    """A pool that notices a dead server within seconds, whether it refuses, keeps silent or is slow."""
    return create_async_engine(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=5,
        connect_args={"connect_timeout": 3, "tcp_user_timeout": 5000, "options": _SESSION},
    )


def autocommit(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for single statements: each its own transaction, without BEGIN and COMMIT on the wire."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")
