"""`show_versions()`: what runs here, for a report of a bug."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from .._errors import KafarrError
from .._version import __version__
from .library import library, library_path

if TYPE_CHECKING:
    from typing import TextIO

PACKAGES = ("pyarrow", "pandas", "numpy", "polars", "cffi")
# The library's own names for its parts, and what they are called here.
PARTS = {"version": "library", "librdkafka": "librdkafka", "features": "  built with", "go": "Go", "arrow": "arrow-go"}


def show_versions(file: TextIO | None = None) -> None:
    """Prints the versions of the package, of the library and what is inside, and of what they run on.

    Loads the library; where that fails, prints why instead of its versions. Opens no connection.

    Args:
        file: where to print; default: standard output.
    """
    rows = [("pykafarr", __version__), *_library(), *_surroundings()]
    for name, value in rows:
        print(f"{name:<13} {value}", file=file or sys.stdout)


def _library() -> list[tuple[str, str]]:
    try:
        versions = library().versions
    except (ImportError, KafarrError) as error:
        return [("library", f"not usable: {error}")]
    rows = [(shown, versions[name]) for name, shown in PARTS.items()] + [("build", versions["build"])]
    rows.insert(3, ("OpenSSL", _openssl()))
    return rows


def _openssl() -> str:
    """The version, as a text in the library's file: librdkafka does not export OpenSSL's functions."""
    inside = (library_path().parent / "libpykafarr_rdkafka.so.1").read_bytes()
    found = re.search(rb"OpenSSL (\d+\.\d+\.\d+[^\0]*)", inside)
    return found[1].decode() if found else "unknown"


def _surroundings() -> list[tuple[str, str]]:
    # It takes as long to import as the whole package, so only this function does.
    import platform  # noqa: PLC0415

    rows = [("Python", f"{platform.python_version()} ({platform.python_implementation()}) {sys.executable}")]
    rows += [(name, _installed(name)) for name in PACKAGES]
    libc = " ".join(platform.libc_ver())
    rows.append(("platform", f"{platform.system()} {platform.release()} {platform.machine()}, {libc}"))
    if named := os.environ.get("PYKAFARR_LIBRARY"):
        rows.append(("PYKAFARR_LIBRARY", named))
    return rows


def _installed(package: str) -> str:
    from importlib import metadata  # noqa: PLC0415

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
