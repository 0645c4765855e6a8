"""A PostgreSQL of its own that a test stops and starts."""

from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

from db import migrations
from embedded.postgres import Postgres, running_postgres


class StoppablePostgres:
    """A server with a database `template` that has the schema. Its URL stays the same; its log is in the folder."""

    def __init__(self, folder: Path, settings: Collection[str] = ()) -> None:
        self._folder = folder
        self._settings = settings
        self._running = ExitStack()
        self.server = self.start()
        self.server.create_database("template")
        migrations.upgrade(self.server.url("template"))

    def start(self) -> Postgres:
        """Start the server on its existing data."""
        self.server = self._running.enter_context(
            running_postgres(self._folder, durable=False, settings=self._settings)
        )
        return self.server

    def stop(self) -> None:
        """Stop the server in order."""
        self._running.close()

    def log(self) -> str:
        """Return what the server has logged so far."""
        return (self._folder / "server.log").read_text()
