"""Finds a Java: several often stand side by side, and the one on PATH need not be new enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Java(NamedTuple):
    """A Java program and its major version."""

    program: Path
    major: int

    @property
    def compiles(self) -> bool:
        """Whether it is a JDK, not only what runs programs that were compiled."""
        return self.program.with_name("javac").exists()


def find(least: int, *, compiler: bool = False) -> Java | None:
    """The first Java of at least this major version: JAVA_HOME's, then PATH's, then the oldest suitable one installed.

    The oldest, since servers are tried with the version that they ask for before any later one. compiler: a JDK only.
    """
    preferred, installed = _known()
    known = (*preferred, *sorted(installed, key=lambda java: java.major))
    suitable = [java for java in known if java.major >= least and (java.compiles or not compiler)]
    return suitable[0] if suitable else None


def describe() -> str:
    """What was found, for an error message."""
    preferred, installed = _known()
    found = {f"{java.program} ({java.major})" for java in (*preferred, *installed)}
    return ", ".join(sorted(found)) or "none"


@cache
def _known() -> tuple[tuple[Java, ...], tuple[Java, ...]]:
    """Java of JAVA_HOME and PATH, and Java in the folders where packages and SDKMAN put it."""
    named = [Path(os.environ["JAVA_HOME"], "bin", "java")] if os.environ.get("JAVA_HOME") else []
    on_path = [Path(found)] if (found := shutil.which("java")) else []
    folders = (Path("/usr/lib/jvm"), Path.home() / ".sdkman" / "candidates" / "java")
    installed = [program for folder in folders for program in sorted(folder.glob("*/bin/java"))]
    return _usable([*named, *on_path]), _usable(installed)


def _usable(programs: list[Path]) -> tuple[Java, ...]:
    # Debian's folders are full of links to each other: each real program once.
    real = dict.fromkeys(program.resolve() for program in programs if os.access(program, os.X_OK))
    return tuple(Java(program, major) for program in real if (major := _major(program)))


def _major(program: Path) -> int | None:
    """17 for "17.0.15", from the release file (no process to start), else from `java -version`."""
    release = program.parent.parent / "release"
    pattern = r'JAVA_VERSION="(\d+)'
    if release.is_file():
        text = release.read_text(encoding="utf-8", errors="replace")
    else:
        pattern = r'version "(\d+)'
        try:
            shown = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        text = shown.stderr
    found = re.search(pattern, text)
    return int(found[1]) if found else None
