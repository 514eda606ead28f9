"""The source distribution: setuptools makes it, and it is packed again so that two builds have the same bytes."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

from release import sources

if TYPE_CHECKING:
    from pathlib import Path

WORK = sources.ROOT / "build" / "wheels"
DIST = sources.ROOT / "dist"


def build(dist: Path = DIST, work: Path = WORK, tag: str | None = None) -> Path:
    """Builds the sdist into dist, in place of an older one."""
    folder = sources.copy(work / "sdist", tag)
    made = work / "dist-sdist"
    shutil.rmtree(made, ignore_errors=True)
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(made), str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (packed,) = made.glob("pykafarr-*.tar.gz")
    dist.mkdir(exist_ok=True)
    for old in dist.glob("pykafarr-*.tar.gz"):
        old.unlink()
    (dist / packed.name).write_bytes(repacked(packed.read_bytes(), int(sources.epoch(tag))))
    return dist / packed.name


def repacked(archive: bytes, time: int) -> bytes:
    """The same files in the order of their names, of one time and of nobody."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as old,
        gzip.GzipFile("", "wb", fileobj=out, mtime=time) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = time, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    return out.getvalue()


if __name__ == "__main__":
    print(build().relative_to(sources.ROOT))
