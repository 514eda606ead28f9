"""`make smoke-aarch64`: the aarch64 wheel runs its smoke test on this machine, under qemu's user-mode emulation.

The other machine's Python and C library are Debian's packages, laid out by debootstrap and never installed; pyarrow
and pandas are its wheels from PyPI. Needs root, qemu-user-static and debootstrap; says so, and succeeds, without them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING

import build_native
from release import sources

if TYPE_CHECKING:
    from pathlib import Path

ROOT = sources.ROOT
WORK = ROOT / ".cache" / "aarch64"
QEMU = "qemu-aarch64-static"
SUITE, PYTHON = "bookworm", "python3.11"


def system() -> Path:
    """The root of a Debian for aarch64: what debootstrap unpacks, and Python, unpacked likewise."""
    root = WORK / SUITE
    if (root / "usr" / "bin" / PYTHON).exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    include = f"--include=ca-certificates,{PYTHON},lib{PYTHON}-stdlib"
    # --foreign: its second half would run what it unpacked, which needs the kernel's help.
    command = ["debootstrap", "--foreign", "--arch=arm64", "--variant=minbase", include, SUITE, str(root)]
    root.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([*command, *mirror()], check=True, stdout=subprocess.DEVNULL)
    for package in sorted((root / "var" / "cache" / "apt" / "archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
    return root


def mirror() -> list[str]:
    """Where this machine has its own packages from, if it is a Debian."""
    policy = subprocess.run(["apt-cache", "policy"], capture_output=True, text=True, check=False).stdout
    found = [line.split()[1] for line in policy.splitlines() if f"{SUITE}/main" in line]
    return [found[0].rstrip("/")] if found else []


def packages(wheel: Path) -> Path:
    """A folder with the wheel and what it asks for, as another machine's pip would install them."""
    target = WORK / "packages"
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--only-binary=:all:"]
    for platform in (
        "manylinux_2_28_aarch64",
        "manylinux_2_27_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux2014_aarch64",
    ):
        command += ["--platform", platform]
    command += ["--python-version", PYTHON.removeprefix("python"), "--target", str(target)]
    subprocess.run([*command, "-r", str(ROOT / "requirements" / "runtime.txt")], check=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def main() -> int:
    """Runs the smoke test and gives the exit status."""
    missing = [program for program in (QEMU, "debootstrap", "dpkg-deb") if not shutil.which(program)]
    if missing:
        print(f"skipped: {' and '.join(missing)} not found (Debian: apt-get install qemu-user-static debootstrap)")
        return 0
    wheels = list((ROOT / "dist").glob(f"pykafarr-{build_native.version()}-*_aarch64.whl"))
    if not wheels:
        print("no aarch64 wheel in dist/: run make wheels", file=sys.stderr)
        return 1
    root, installed = system(), packages(wheels[0])
    begun = time.monotonic()
    # -L: the other system's files where it has them, this one's where it has not.
    command = [QEMU, "-L", str(root), "-E", "LD_LIBRARY_PATH=", str(root / "usr" / "bin" / PYTHON), "-I", "-S"]
    start = f"""
import runpy, sys
sys.path.insert(0, {str(installed)!r})
sys.argv = ["smoke.py", {build_native.version()!r}]
runpy.run_path({str(ROOT / "release" / "smoke.py")!r}, run_name="__main__")
"""
    environment = {"PATH": os.environ["PATH"], "HOME": str(WORK), "PYTHONHOME": str(root / "usr")}
    done = subprocess.run([*command, "-c", start], cwd=WORK, env=environment, timeout=900, check=False)
    print(
        f"{wheels[0].name} under {QEMU}: {'ok' if done.returncode == 0 else 'FAILED'}, {time.monotonic() - begun:.0f} s"
    )
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
