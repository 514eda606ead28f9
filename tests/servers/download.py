"""Fetches the servers, and the jars of other tests, with Maven, once: what lies in the cache is used without a network.

The folder is .cache/servers of the source tree, or what PYKAFARR_SERVERS_CACHE names.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .process import ServerError, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = Path(__file__).parent
_DEPENDENCY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


def kafka(version: str) -> Path:
    """The folder with the jars of this Kafka."""
    return jars(_HERE / "kafka.pom.xml", version)


def registry(version: str) -> Path:
    """The folder with this Apicurio registry, unpacked from its distribution archive."""
    return _fetched(_HERE / "registry.pom.xml", version, "unpack-dependencies")


def jars(pom: Path, version: str) -> Path:
    """The folder with the jars that NAME.pom.xml asks for, with its property NAME.version set."""
    return _fetched(pom, version, "copy-dependencies")


def _fetched(pom: Path, version: str, goal: str) -> Path:
    """The folder of what this file asks for in the cache, which Maven fills the first time."""
    name = pom.name.removesuffix(".pom.xml")
    folder = _cache() / f"{name}-{version}"
    if folder.is_dir():
        return folder
    with _locked(folder.parent):
        if not folder.is_dir():  # somebody else may have fetched it while we waited for the lock
            # Renamed when it is complete: whatever is interrupted leaves no folder that looks usable.
            partial = folder.with_name(f"{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            print(f"fetching {folder.name} with Maven …", flush=True)
            _maven(
                *("--file", str(pom)),
                f"-D{name}.version={version}",
                f"-DoutputDirectory={partial}",
                # What the plugin notes of its work goes with it, else it would say later that nothing is to do.
                f"-DmarkersDirectory={partial / '.markers'}",
                f"{_DEPENDENCY}:{goal}",
            )
            partial.rename(folder)
    return folder


def _maven(*arguments: str) -> None:
    program = shutil.which("mvn")
    if program is None:
        raise ServerError("Maven (mvn) is not on PATH; it is needed once, to fetch servers and jars")
    log = _cache() / "maven.log"
    with log.open("wb") as output:
        command = [program, "--batch-mode", "--no-transfer-progress", *arguments]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=1200, check=False
        )
    if done.returncode != 0:
        raise ServerError(f"Maven failed with exit status {done.returncode}; its log ends:\n{tail(log)}")
    log.unlink()


def _cache() -> Path:
    named = os.environ.get("PYKAFARR_SERVERS_CACHE")
    # Absolute, for the servers run in folders of their own.
    folder = Path(named).absolute() if named else _HERE.parent.parent / ".cache" / "servers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds the folder's lock, which the system takes back from a process that dies."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
