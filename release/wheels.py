"""`make wheels`: a manylinux_2_28 wheel for each architecture, compiled by zig, with the same bytes each time.

Each is built of a copy of the sources, so that the tree's own pykafarr/_native stays what it was, and then checked.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import build_native
from release import sources, wheel_check

WORK = sources.ROOT / "build" / "wheels"
DIST = sources.ROOT / "dist"


def build(architecture: str, dist: Path = DIST, work: Path = WORK, tag: str | None = None) -> Path:
    """Builds the wheel for one of Go's architectures into dist, in place of an older one."""
    machine = build_native.MACHINES[architecture]
    folder = sources.copy(work / architecture, tag)
    glibc = "{}.{}".format(*wheel_check.GLIBC)
    environment = {
        **os.environ,
        "GOARCH": architecture,
        "GOFLAGS": "",
        "CC": shlex.join([sys.executable, "-m", "ziglang", "cc", "-target", f"{machine}-linux-gnu.{glibc}"]),
        "SOURCE_DATE_EPOCH": sources.epoch(tag),
    }
    made = work / f"dist-{architecture}"
    shutil.rmtree(made, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(made), str(folder)]
    # The mode of a file is in the archive, too.
    subprocess.run(["/bin/sh", "-c", f"umask 022 && {shlex.join(command)}"], env=environment, check=True)
    (wheel,) = made.glob("*.whl")
    dist.mkdir(exist_ok=True)
    for old in dist.glob(f"*_{machine}.whl"):
        old.unlink()
    return Path(shutil.move(wheel, dist / wheel.name))


def sha256(path: Path) -> str:
    """The file's SHA-256, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Builds, checks and lists the wheels; with --twice, builds each in another folder too and compares the bytes."""
    parser = argparse.ArgumentParser(prog="python -m release.wheels", description=__doc__)
    parser.add_argument("architectures", nargs="*", default=sorted(build_native.MACHINES), metavar="ARCHITECTURE")
    parser.add_argument("--twice", action="store_true", help="build each twice, in two folders, and compare")
    options = parser.parse_args()
    good = True
    for architecture in options.architectures:
        begun = time.monotonic()
        wheel = build(architecture)
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, built in {time.monotonic() - begun:.0f} s")
        faults = wheel_check.faults(wheel)
        if options.twice:
            again = build(architecture, WORK / "again", WORK / "in-another-folder")
            same = sha256(again) == sha256(wheel)
            print(f"  built again in another folder: {'the same bytes' if same else 'OTHER BYTES'}")
            good = good and same
        for fault in faults:
            print(f"  {fault}")
        print(f"  {'FAULTY' if faults else 'checked'}, sha256 {sha256(wheel)}", flush=True)
        good = good and not faults
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
