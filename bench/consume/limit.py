"""Compiles raw.c, the limit: against librdkafka as it is shipped, and against our copy of it."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import build_native

SOURCE = Path(__file__).with_name("raw.c")
FOLDER = build_native.ROOT / "build" / "bench"


@cache
def build_stock() -> Path:
    """With the archive that confluent-kafka-go ships, linked in unchanged: the version that our copy is made of."""
    toolchain = build_native.find_toolchain()
    module = build_native.go("list", "-m", "-f", "{{.Dir}}", build_native.KAFKA_MODULE)
    archive = Path(module, "kafka", "librdkafka_vendor", f"librdkafka_glibc_linux_{toolchain.architecture}.a")
    return _compile("raw-stock", [], [str(archive), "-lm", "-ldl", "-lpthread", "-lrt"])


@cache
def build_ours() -> Path:
    """With the library that pykafarr carries, in which librdkafka's functions have names of our own."""
    rename = build_native.find_toolchain().work / "include" / "rename.h"
    library = build_native.NATIVE / build_native.RDKAFKA
    return _compile("raw-ours", ["-include", str(rename)], [str(library), f"-Wl,-rpath,{library.parent}"])


def _compile(name: str, flags: list[str], libraries: list[str]) -> Path:
    toolchain = build_native.find_toolchain()
    program = FOLDER / name
    program.parent.mkdir(parents=True, exist_ok=True)
    include = f"-I{toolchain.work / 'include'}"
    command = [*toolchain.compiler, "-O2", "-Wall", "-Werror", include, *flags, str(SOURCE), *libraries]
    subprocess.run([*command, "-o", str(program)], check=True)
    return program
