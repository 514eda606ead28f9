"""The folder with the servers' data and logs, removed at the end, be it by the next start."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "pykafarr-servers-"


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    """A new folder, for as long as this block runs.

    Whoever is killed leaves its folder, which may hold gigabytes of a benchmark's topics. Each live one is locked, and
    the system takes the lock from the dead: what can be locked here belongs to nobody.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > 60:  # a younger one may be made just now, and not be locked yet
                with _locked(left):
                    shutil.rmtree(left)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    with _locked(folder):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds the folder's lock; a BlockingIOError when somebody else does."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
