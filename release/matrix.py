"""`make install-matrix`: the wheel in fresh environments of every CPython here, with old and new pyarrow and pandas.

For each interpreter there are two environments: the newest versions that pip finds, and the oldest that pyproject.toml
allows and this interpreter has wheels for. Each runs release/smoke.py, with no source tree, Go or compiler in sight.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import build_native
from release import foreign, sources

ROOT = sources.ROOT
SUPPORTED = tuple((3, minor) for minor in range(10, 15))
BORROWED = {(3, 13): "trixie", (3, 14): "forky"}  # the Debians that have a Python that may not be installed here

# The oldest that pyproject.toml allows; where an interpreter has no wheel of that, the oldest that it has one of.
OLDEST = {
    (3, 10): ("pyarrow==16.0.0", "pandas==2.2.0", "numpy<2", "cffi==1.16.0"),
    (3, 11): ("pyarrow==16.0.0", "pandas==2.2.0", "numpy<2", "cffi==1.16.0"),
    (3, 12): ("pyarrow==16.0.0", "pandas==2.2.0", "numpy<2", "cffi==1.16.0"),
    (3, 13): ("pyarrow==18.0.0", "pandas==2.2.3", "cffi==1.17.1"),
    (3, 14): ("pyarrow==22.0.0", "pandas==2.3.3", "cffi==2.0.0"),
}


def interpreters() -> dict[tuple[int, int], str]:
    """The CPythons of this machine, the first of each version: on the PATH, of pyenv, of uv."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    folders += sorted(Path.home().glob(".pyenv/versions/3.*/bin"))
    folders += sorted(Path.home().glob(".local/share/uv/python/cpython-3.*/bin"))
    found: dict[tuple[int, int], str] = {}
    for version in SUPPORTED:
        for folder in folders:
            path = folder / "python{}.{}".format(*version)
            if path.exists() and is_cpython(path, version):
                found.setdefault(version, str(path))
    return found


def is_cpython(path: Path, version: tuple[int, int]) -> bool:
    """Whether the program is a CPython of that version, with the GIL: one of pyenv's shims may be none at all."""
    ask = "import sys; print(sys.implementation.name, *sys.version_info[:2], sys.abiflags)"
    done = subprocess.run([path, "-I", "-c", ask], capture_output=True, text=True, check=False)
    return done.stdout.split() == ["cpython", *map(str, version)]


def borrowed(version: tuple[int, int], wheel: Path, pins: tuple[str, ...]) -> tuple[bool, str]:
    """The smoke test with a Python that is not installed here: whether it went well, and what to show."""
    if version not in BORROWED:
        return True, "not checked: no such interpreter is here"
    borrowed_from = foreign.Foreign(BORROWED[version], "{}.{}".format(*version), os.uname().machine)
    if borrowed_from.emulated or os.geteuid() != 0 or borrowed_from.missing() or not foreign.mirror():
        return True, "not checked: no such interpreter is here, nor debootstrap as root to fetch it"
    try:
        done = borrowed_from.smoke(wheel, pins)
    except subprocess.CalledProcessError as error:
        return True, f"not checked: it cannot be fetched: {error}"
    return judged(done)


def judged(done: subprocess.CompletedProcess[str]) -> tuple[bool, str]:
    """Whether the smoke test went well, and what to show of it."""
    if done.returncode or done.stderr:
        return False, (done.stdout + done.stderr)[-2000:]
    versions = dict(re.findall(r"^(\w+) +(\S+)", done.stdout, re.MULTILINE))
    return True, " ".join(f"{name} {versions[name]}" for name in ("Python", "pyarrow", "pandas", "numpy", "cffi"))


def smoke(python: str, wheel: Path, pins: tuple[str, ...]) -> tuple[bool, str]:
    """Installs the wheel into a fresh environment and runs the smoke test: whether it went well, and what to show."""
    with tempfile.TemporaryDirectory(prefix="pykafarr-smoke-") as folder:
        subprocess.run([python, "-I", "-m", "venv", folder], check=True)
        inside = Path(folder) / "bin" / "python"
        install = [str(inside), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--only-binary=:all:"]
        done = subprocess.run([*install, str(wheel), *pins], capture_output=True, text=True, check=False)
        if done.returncode:
            return False, f"not installed: {done.stderr.strip()[-300:]}"
        shutil.copy(ROOT / "release" / "smoke.py", folder)
        done = subprocess.run(
            [inside, "-I", "smoke.py", build_native.version()],
            cwd=folder,
            env={"PATH": str(inside.parent), "HOME": folder},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    return judged(done)


def main() -> int:
    """Prints a line for each environment, and one for each interpreter that is not here."""
    parser = argparse.ArgumentParser(prog="python -m release.matrix", description=main.__doc__)
    parser.add_argument("--wheel", type=Path, help="default: the one of this machine in dist/")
    options = parser.parse_args()
    built = (ROOT / "dist").glob(f"pykafarr-{build_native.version()}-*_{os.uname().machine}.whl")
    wheels = [options.wheel] if options.wheel else list(built)
    if not wheels:
        print("no wheel in dist/: run make wheels", file=sys.stderr)
        return 1
    here, failed = interpreters(), 0
    for version in SUPPORTED:
        name = "{}.{}".format(*version)
        for kind, pins in (("newest", ()), ("oldest", OLDEST[version])):
            begun = time.monotonic()
            wheel = wheels[0].resolve()
            good, shown = smoke(here[version], wheel, pins) if version in here else borrowed(version, wheel, pins)
            failed += not good
            seconds = time.monotonic() - begun
            print(f"{name:<5} {kind} {'ok' if good else 'FAILED'} ({seconds:.0f} s) {shown}", flush=True)
    return 1 if failed or not here else 0


if __name__ == "__main__":
    sys.exit(main())
