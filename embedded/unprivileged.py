"""PostgreSQL refuses to run as root: here is how it runs all the same when root starts the stack."""

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_OPEN_TO_ALL = Path("/var/tmp/scheduled-activities")  # noqa: S108 - used by root only, and never followed as a link


@dataclass(frozen=True)
class Identity:
    """As whom a program runs: the words to put before its command, or another owner of its process."""

    prefix: Sequence[str] = ()
    owner: int | None = None

    def own(self, path: Path) -> None:
        """Give `path` to the owner, if there is another one than we are."""
        if self.owner is not None:
            os.chown(path, self.owner, self.owner)


@cache
def unprivileged_identity() -> Identity:
    """Ourselves when we aren't root; else root under another name in a user namespace; else the user nobody.

    In a user namespace the files stay root's, and a private home on the way to them is no obstacle.
    Some containers refuse it; there `reachable_place` and `reachable_program` find a way for nobody.
    """
    if os.geteuid() != 0:
        return Identity()
    nobody = pwd.getpwnam("nobody").pw_uid
    prefix = ("unshare", "--user", f"--map-user={nobody}", f"--map-group={nobody}", "--")
    if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return Identity(prefix=prefix)
    return Identity(owner=nobody)


def reachable_place(folder: Path, identity: Identity) -> Path:
    """`folder`, or one that stands for it where the identity may go."""
    if identity.owner is None or _open_to_all(folder):
        return folder
    return _own_root_folder() / hashlib.sha256(str(folder).encode()).hexdigest()[:16]


def reachable_program(package: Path, identity: Identity) -> Path:
    """`package`, or a copy of it and its libraries where the identity may go."""
    if identity.owner is None or _open_to_all(package):
        return package
    copy = reachable_place(package, identity) / package.name
    for folder in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, copy.with_name(folder.name), symlinks=True, dirs_exist_ok=True)
    return copy


def _open_to_all(path: Path) -> bool:
    """Whether everybody may go down to `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _own_root_folder() -> Path:
    """Root's folder for what nobody must reach; refused when somebody else has put something in its place."""
    _OPEN_TO_ALL.mkdir(mode=0o755, exist_ok=True)
    status = _OPEN_TO_ALL.lstat()
    if not _OPEN_TO_ALL.is_dir() or _OPEN_TO_ALL.is_symlink() or status.st_uid != 0:
        msg = f"{_OPEN_TO_ALL} is not a folder of root: remove it"
        raise PermissionError(msg)
    return _OPEN_TO_ALL
