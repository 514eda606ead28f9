"""Where pykafarr runs, and what is said elsewhere. The import of this module is the check, so it opens nothing."""

from __future__ import annotations

import os
import sys

MACHINES = ("x86_64", "aarch64")
GLIBC = (2, 28)  # of librdkafka, and so of every build


def check() -> None:
    """Raises ImportError, which says what to do instead, on platforms that pykafarr has no library for."""
    if sys.platform != "linux":
        raise ImportError(
            f"pykafarr has a library for Linux with glibc only so far, not for {sys.platform}. "
            "A container runs it there: see docs/install.md."
        )
    if sys.implementation.name != "cpython":
        raise ImportError(f"pykafarr is made for CPython, and this is {sys.implementation.name}.")
    machine = os.uname().machine
    if machine not in MACHINES or sys.maxsize < 2**32:
        bits = "64" if sys.maxsize > 2**32 else "32"
        raise ImportError(f"pykafarr has libraries for 64-bit {' and '.join(MACHINES)}, not for {bits}-bit {machine}.")
    found = glibc()
    if found is None:
        # golang/go#54805: a Go c-shared library can be linked on musl, but not dlopened.
        raise ImportError(
            "pykafarr cannot run on musl (Alpine): its loader cannot open a library written in Go. "
            "Use a glibc-based image, such as python:3-slim."
        )
    if found < GLIBC:
        raise ImportError("pykafarr needs glibc {}.{} or newer, and this is {}.{}.".format(*GLIBC, *found))


def glibc() -> tuple[int, int] | None:
    """The version of the C library, or None when it is another one."""
    try:
        version = str(os.confstr("CS_GNU_LIBC_VERSION")).removeprefix("glibc ")
        major, minor = version.split(".")[:2]
        return int(major), int(minor)
    except (ValueError, OSError):  # another C library knows no such name, or has another answer
        return None


check()
