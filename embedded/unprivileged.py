"""Choose the user that PostgreSQL runs as when root starts the stack: PostgreSQL refuses to run as root."""

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_OPEN_TO_ALL = Path("/var/tmp/scheduled-activities")  # noqa: S108 - used by root only; a link is refused


@dataclass(frozen=True)
class Identity:
    """The user a program runs as: a prefix for its command line, or the user id of its process."""

    prefix: Sequence[str] = ()
    owner: int | None = None

    def own(self, path: Path) -> None:
        """Change the owner of `path`, if the program runs as another user."""
        if self.owner is not None:
            os.chown(path, self.owner, self.owner)


@cache
def unprivileged_identity() -> Identity:
    """Return the current user unless it is root; else root in a user namespace; else the system's unprivileged user.

    In a user namespace files stay root's, so a private home folder in their path is no obstacle. Some containers forbid
    user namespaces: there `reachable_place` and `reachable_program` choose folders that every user can reach.
    """
    if os.geteuid() != 0:
        return Identity()
    unprivileged = pwd.getpwnam("nobody").pw_uid
    prefix = ("unshare", "--user", f"--map-user={unprivileged}", f"--map-group={unprivileged}", "--")
    if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return Identity(prefix=prefix)
    return Identity(owner=unprivileged)


def reachable_place(folder: Path, identity: Identity) -> Path:
    """Return `folder`, or a substitute that the identity can reach."""
    if identity.owner is None or _open_to_all(folder):
        return folder
    return _own_root_folder() / hashlib.sha256(str(folder).encode()).hexdigest()[:16]


def reachable_program(package: Path, identity: Identity) -> Path:
    """Return `package`, or a copy of it with its libraries that the identity can reach."""
    if identity.owner is None or _open_to_all(package):
        return package
    copy = reachable_place(package, identity) / package.name
    for folder in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, copy.with_name(folder.name), symlinks=True, dirs_exist_ok=True)
    return copy


def _open_to_all(path: Path) -> bool:
    """Return True if every user may enter all folders above `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _own_root_folder() -> Path:
    """Return root's folder of substitutes, which every user may enter.

    Raises:
        PermissionError: another user has created something in its place.

    """
    _OPEN_TO_ALL.mkdir(mode=0o755, exist_ok=True)
    status = _OPEN_TO_ALL.lstat()
    if not _OPEN_TO_ALL.is_dir() or _OPEN_TO_ALL.is_symlink() or status.st_uid != 0:
        msg = f"{_OPEN_TO_ALL} is not a folder owned by root: remove it"
        raise PermissionError(msg)
    return _OPEN_TO_ALL
