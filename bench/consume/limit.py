"""Compiles raw.c, the limit: against librdkafka as it is shipped, and against our copy of it."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import build_native
import native_wheels

SOURCE = Path(__file__).with_name("raw.c")
FOLDER = build_native.ROOT / "build" / "bench"


@cache
def build_stock(source: Path = SOURCE) -> Path:
    """With the librdkafka of PyPI's confluent-kafka, unchanged: the one that our copy is made of."""
    library = native_wheels.librdkafka(f"linux/{build_native.find_toolchain().architecture}")
    return _compile(source, "stock", [], [str(library), f"-Wl,-rpath,{library.parent}"])


@cache
def build_ours() -> Path:
    """With the library that pykafarr carries, in which librdkafka's functions have names of our own."""
    rename = build_native.find_toolchain().work / "include" / "rename.h"
    libraries = [str(build_native.NATIVE / name) for name in (build_native.RDKAFKA, build_native.POOL)]
    return _compile(SOURCE, "ours", ["-include", str(rename)], [*libraries, f"-Wl,-rpath,{build_native.NATIVE}"])


def _compile(source: Path, name: str, flags: list[str], libraries: list[str]) -> Path:
    toolchain = build_native.find_toolchain()
    program = FOLDER / f"{source.parent.name}-{name}"
    program.parent.mkdir(parents=True, exist_ok=True)
    include = f"-I{toolchain.work / 'include'}"
    command = [*toolchain.compiler, "-O2", "-Wall", "-Werror", include, *flags, str(source), *libraries]
    subprocess.run([*command, "-o", str(program)], check=True)
    return program
