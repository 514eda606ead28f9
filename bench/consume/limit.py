"""Compiles raw.c, the limit, against the librdkafka that pykafarr carries."""

from __future__ import annotations

import subprocess
from pathlib import Path

import build_native

SOURCE = Path(__file__).with_name("raw.c")
PROGRAM = build_native.ROOT / "build" / "bench" / "raw"


def build() -> Path:
    """The program, built anew: it takes a fifth of a second."""
    toolchain = build_native.find_toolchain()
    include = toolchain.work / "include"
    library = build_native.NATIVE / build_native.RDKAFKA
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    # rename.h: in our copy librdkafka's functions have names of our own.
    command = [
        *toolchain.compiler, "-O2", "-Wall", "-Werror", f"-I{include}", "-include", str(include / "rename.h"),
        str(SOURCE), str(library), f"-Wl,-rpath,{library.parent}", "-o", str(PROGRAM),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return PROGRAM
