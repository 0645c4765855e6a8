"""PostgreSQL on a copy of prepared data: copying takes a twentieth of initializing and migrating."""

# ruff: noqa: S603, S607 - both paths are ours

import fcntl
import subprocess
from contextlib import ExitStack
from pathlib import Path

from db import migrations
from embedded.postgres import Postgres, running_postgres
from embedded.unprivileged import reachable_place, unprivileged_identity


def prepared_data(folder: Path) -> Path:
    """Return the data of a stopped server with a database `template` that has the schema.

    The first caller prepares it in `folder`; others, in other processes too, wait for that.
    """
    folder.mkdir(exist_ok=True)
    place = folder / "place"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            with running_postgres(folder, durable=False) as server:
                server.create_database("template")
                migrations.upgrade(server.url("template"))
            place.write_text(str(server.folder / "data"))
    return Path(place.read_text())


def copy_data(prepared: Path, folder: Path) -> None:
    """Copy prepared data to where a server in `folder` looks for it."""
    place = reachable_place(folder.resolve(), unprivileged_identity())
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", prepared, place], check=True)


class StoppablePostgres:
    """A server on a copy of prepared data that a test stops and starts.

    Its URL stays the same; it logs every statement, in the folder.
    """

    def __init__(self, prepared: Path, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        copy_data(prepared, folder)
        self.server = self.start()

    def start(self) -> Postgres:
        """Start the server on its existing data."""
        self.server = self._running.enter_context(
            running_postgres(self._folder, durable=False, settings=["log_statement=all"])
        )
        return self.server

    def stop(self) -> None:
        """Stop the server in order."""
        self._running.close()

    def log(self) -> str:
        """Return what the server has logged so far."""
        return (self._folder / "server.log").read_text()
