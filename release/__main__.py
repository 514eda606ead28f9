"""`make release`: all that is published, into dist/, from a tag; the same bytes whoever makes it, but for the images.

The wheels and the sdist, each wheel's bill of materials, the changelog's section, the runtime image, SHA256SUMS.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import build_native
from release import sdist, sources, wheel_check, wheels

if TYPE_CHECKING:
    from pathlib import Path

DIST = sources.ROOT / "dist"


class ReleaseError(Exception):
    """Nothing can be released; the text says why."""


def version_of(tag: str) -> str:
    """The version that the tag names, which must be the one in the sources of the tag."""
    found = re.fullmatch(r"v(\d+\.\d+\.\d+\S*)", tag)
    if not found:
        raise ReleaseError(f"a tag is named v1.2.3, not {tag!r}")
    try:
        text = sources.git("show", f"{tag}:pykafarr/_version.py")
    except subprocess.CalledProcessError as error:
        raise ReleaseError(f"there is no tag {tag}: git tag {tag}") from error
    if f'__version__ = "{found[1]}"' not in text:
        raise ReleaseError(f"pykafarr/_version.py of {tag} does not hold the version {found[1]}")
    # The checks and the images look at the working tree.
    if sources.git("rev-parse", f"{tag}^{{commit}}") != sources.git("rev-parse", "HEAD"):
        raise ReleaseError(f"the working tree is another commit's: git checkout {tag}")
    if changed := sources.git("status", "--porcelain"):
        raise ReleaseError(f"the working tree is not that of {tag}: {changed.splitlines()[0].strip()} is changed")
    return found[1]


def changes(changelog: str, version: str) -> str:
    """The changelog's section of the version."""
    found = re.search(rf"^## {re.escape(version)}(?: [^\n]*)?\n(.*?)(?=^## |\Z)", changelog, re.DOTALL | re.MULTILINE)
    if not found or not found[1].strip():
        raise ReleaseError(f"CHANGELOG.md has no section {version}")
    return found[1].strip() + "\n"


def make(tag: str, *, images: bool) -> list[Path]:
    """Makes all files again and checks them."""
    version = version_of(tag)
    notes = changes(sources.git("show", f"{tag}:CHANGELOG.md"), version)
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    (DIST / f"pykafarr-{version}-changes.md").write_text(notes)
    sdist.build(tag=tag)
    for architecture, machine in sorted(build_native.MACHINES.items()):
        wheel = wheels.build(architecture, tag=tag)
        if wrong := wheel_check.faults(wheel):
            raise ReleaseError("; ".join(wrong))
        with zipfile.ZipFile(wheel) as archive:
            materials = archive.read(f"pykafarr-{version}.dist-info/sboms/pykafarr.cdx.json")
        (DIST / f"pykafarr-{version}-{machine}.cdx.json").write_bytes(materials)
    if images:
        subprocess.run([sys.executable, "-m", "release.images", "runtime", "--save", str(DIST)], check=True)
    made = sorted(DIST.iterdir())
    sums = "".join(f"{wheels.sha256(path)}  {path.name}\n" for path in made)  # as `sha256sum --check` reads them
    (DIST / "SHA256SUMS").write_text(sums)
    return [*made, DIST / "SHA256SUMS"]


def main() -> int:
    """Makes the release and lists it."""
    parser = argparse.ArgumentParser(prog="python -m release", description=main.__doc__)
    parser.add_argument("--tag", required=True, help="the tag to release, such as v0.1.0")
    parser.add_argument("--no-images", action="store_true", help="leave the image's archive out")
    options = parser.parse_args()
    try:
        for path in make(options.tag, images=not options.no_images):
            print(f"{path.stat().st_size:>12,}  {path.name}")
    except (ReleaseError, subprocess.CalledProcessError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
