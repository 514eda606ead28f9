"""A wheel's smoke test with a Python that this machine lacks: another machine's, under qemu, or a newer one.

`make smoke-aarch64` runs the aarch64 wheel; `make install-matrix` takes Pythons from here that are not installed.
Such a Python and its C library are Debian's packages, laid out by debootstrap (as root) and never installed; pyarrow
and pandas are the wheels that pip fetches for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import build_native
from release import sources

ROOT = sources.ROOT
WORK = ROOT / ".cache" / "foreign"
QEMU = "qemu-aarch64-static"
SCRIPTS = Path("/usr/share/debootstrap/scripts")


@dataclass(frozen=True)
class Foreign:
    """A Debian's Python, for a machine."""

    suite: str
    python: str
    machine: str

    @property
    def root(self) -> Path:
        """Where it lies."""
        return WORK / f"{self.suite}-{self.machine}"

    def missing(self) -> list[str]:
        """The programs that it needs and this machine lacks."""
        needed = ["debootstrap", "dpkg-deb", *([QEMU] if self.emulated else [])]
        return [program for program in needed if not shutil.which(program)]

    @property
    def emulated(self) -> bool:
        """Whether it is another machine's."""
        return self.machine != os.uname().machine

    def lay_out(self) -> None:
        """Unpacks what debootstrap fetches, and Python likewise."""
        if (self.root / "usr" / "bin" / f"python{self.python}").exists():
            return
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.parent.mkdir(parents=True, exist_ok=True)
        architecture = {"x86_64": "amd64", "aarch64": "arm64"}[self.machine]
        # --foreign: its second half would run what it unpacked, which needs the kernel's help for another machine.
        command = ["debootstrap", "--foreign", f"--arch={architecture}", "--variant=minbase"]
        command += [f"--include=ca-certificates,python{self.python},libpython{self.python}-stdlib"]
        command += [self.suite, str(self.root), mirror()]
        if not (SCRIPTS / self.suite).exists():  # newer than debootstrap is: they are all alike
            command.append(str(SCRIPTS / "sid"))
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for package in sorted((self.root / "var" / "cache" / "apt" / "archives").glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", str(package), str(self.root)], check=True)

    def smoke(self, wheel: Path, pins: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        """Puts the wheel and what it asks for into a folder, and runs release/smoke.py with it."""
        self.lay_out()
        target = WORK / f"packages-{self.suite}-{self.machine}"
        shutil.rmtree(target, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        command += ["--only-binary=:all:", "--python-version", self.python, "--target", str(target)]
        for platform in ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014"):
            command += ["--platform", f"{platform}_{self.machine}"]
        subprocess.run([*command, "cffi", "pandas", "pyarrow", *pins], check=True)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
        start = f"""
import runpy, sys
sys.path.insert(0, {str(target)!r})
sys.argv = ["smoke.py", {build_native.version()!r}]
runpy.run_path({str(ROOT / "release" / "smoke.py")!r}, run_name="__main__")
"""
        environment = {"PATH": os.environ["PATH"], "HOME": str(WORK), "PYTHONHOME": str(self.root / "usr")}
        return subprocess.run(
            [*self.launcher(), "-S", "-c", start],
            cwd=WORK,
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    def launcher(self) -> list[str]:
        """What starts its Python here, with its own C library."""
        python = str(self.root / "usr" / "bin" / f"python{self.python}")
        if self.emulated:
            return [QEMU, "-L", str(self.root), python]  # -L: its files where it has them, this machine's where not
        folder = self.root / "usr" / "lib" / f"{self.machine}-linux-gnu"
        return [str(folder / "ld-linux-x86-64.so.2"), "--library-path", str(folder), python]


def mirror() -> str:
    """Where this machine has its own packages from, if it is a Debian."""
    policy = subprocess.run(["apt-cache", "policy"], capture_output=True, text=True, check=False).stdout
    found = [line.split()[1].rstrip("/") for line in policy.splitlines() if "/main " in line and "/debian " in line]
    return found[0] if found else ""


def main() -> int:
    """Runs the aarch64 wheel's smoke test and gives the exit status."""
    foreign = Foreign("bookworm", "3.11", "aarch64")
    if missing := foreign.missing():
        print(f"skipped: {' and '.join(missing)} not found (Debian: apt-get install qemu-user-static debootstrap)")
        return 0
    wheels = list((ROOT / "dist").glob(f"pykafarr-{build_native.version()}-*_aarch64.whl"))
    if not wheels:
        print("no aarch64 wheel in dist/: run make wheels", file=sys.stderr)
        return 1
    begun = time.monotonic()
    done = foreign.smoke(wheels[0], ())
    print(done.stdout + done.stderr)
    ended = "FAILED" if done.returncode else "ok"
    print(f"{wheels[0].name} under {QEMU}: {ended}, {time.monotonic() - begun:.0f} s")
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
