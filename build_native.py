"""Builds the native half of pykafarr into pykafarr/_native/: setup.py calls it, and `python build_native.py` does.

Two shared objects, because one cannot be loaded: librdkafka's archive holds 15 KB of thread-local data, a Go
c-shared library is linked initial-exec, and after `import pyarrow` the static TLS block has no room for both.

    libpykafarr_rdkafka.so.1   librdkafka, made of the archive that confluent-kafka-go ships
    libkafarr.so               the Go core (./cgo), linked against it, exporting what cgo/kafarr.h declares

Environment: GOARCH for another architecture; CC, which may hold arguments, such as
"python -m ziglang cc -target x86_64-linux-gnu.2.28" for a wheel that runs on older systems than this one
(the archive itself needs glibc 2.28).
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent
WORK = ROOT / "build" / "native"
NATIVE = ROOT / "pykafarr" / "_native"
TESTING = ROOT / "build" / "testing"

KAFKA_MODULE = "github.com/confluentinc/confluent-kafka-go/v2"
RDKAFKA = "libpykafarr_rdkafka.so.1"
KAFARR = "libkafarr.so"
PREFIX = "pykafarr_"  # what librdkafka's functions are called in our copy
# What our own C is compiled with, so that a write past a buffer ends the process before it can be made use of. -U: some
# distributions define it already, and a second definition is a warning.
HARDENED = ("-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


class NativeBuildError(Exception):
    """The build cannot go on; the text says what is missing."""


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

    With testing=True it is a library for the boundary tests, with the exports of cgo/kafarr_testing.h (a
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
        rdkafka = build_rdkafka(vendor, toolchain)
        kafarr = build_kafarr(rdkafka, headers, toolchain, testing=testing)
        for made in (rdkafka, kafarr, *headers):
            replace_if_changed(made, target / made.name)
        write_if_changed(target / "THIRD_PARTY_LICENSES.txt", third_party_licenses(vendor))
    return target


def rdkafka_vendor() -> Path:
    """The folder that librdkafka's archive lies in, with its licences."""
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
        raise NativeBuildError(f"librdkafka comes for {' and '.join(MACHINES)} only, not for {architecture}.")
    return Toolchain(tuple(compiler), architecture)


def build_rdkafka(vendor: Path, toolchain: Toolchain) -> Path:
    """Makes a shared object of the static librdkafka."""
    archive = vendor / f"librdkafka_glibc_linux_{toolchain.architecture}.a"
    entries = rename_functions(vendor, archive, toolchain)
    script = toolchain.work / "rdkafka.map"
    # What is not a function of librdkafka's interface (OpenSSL, curl, zstd) stays private.
    write_if_changed(script, f"PYKAFARR_1 {{ global: {PREFIX}*; local: *; }};\n")
    output = toolchain.work / RDKAFKA
    pool = ROOT / "native" / "op_pool.c"
    command = [
        *toolchain.compiler, "-shared", "-O2", "-fPIC", *HARDENED, "-o", str(output), f"-Wl,-soname,{RDKAFKA}",
        f"-Wl,--version-script={script}", str(pool), "-Wl,--wrap=calloc,--wrap=realloc,--wrap=free",
        # defs: a symbol that the C library lacks is an error now, not at the first call on a user's machine.
        "-Wl,-Bsymbolic", "-Wl,-z,defs", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-s", str(entries),
        "-Wl,--whole-archive", str(archive), "-Wl,--no-whole-archive", "-lm", "-ldl", "-lpthread", "-lrt",
    ]  # fmt: skip
    # The archive's path holds its version, and the module cache is read-only: no need to hash 17 MB.
    run_unless_fresh(output, command, script.read_text() + entries.read_text() + pool.read_text())
    return output


def rename_functions(vendor: Path, archive: Path, toolchain: Toolchain) -> Path:
    """Lays out the headers and gives librdkafka's functions names of our own; returns the source of these.

    Under their own names the loader may bind them to another librdkafka. A soname and a version node do not keep
    it from that: one in the global scope (LD_PRELOAD, RTLD_GLOBAL, linked to the program) that has no versions,
    such as confluent_kafka's, wins over both. A jump to each function, because zig's linker has no --defsym.
    """
    include = toolchain.work / "include" / "librdkafka"
    include.mkdir(parents=True, exist_ok=True)
    for header in vendor.glob("*.h"):
        replace_if_changed(header, include / header.name)
    with archive.open("rb") as file:
        # An archive begins with the index of its symbols: its size at byte 56, a count, as many offsets, the names.
        index = file.read(int(file.read(68)[56:66]))
    defined = index[4 + 4 * int.from_bytes(index[:4], "big") :].decode().split("\0")
    # Some that kafarr calls are in no header.
    sources = [*vendor.glob("*.h"), *(ROOT / "kafarr").rglob("*.go"), *(ROOT / "kafarr").rglob("*.[ch]")]
    called = {name for source in sources for name in re.findall(r"\b(rd_kafka_\w+) *\(", source.read_text())}
    functions = sorted(called.intersection(defined))
    jump = {"amd64": "jmp {}@PLT", "arm64": "b {}"}[toolchain.architecture]
    entry = ".globl {0}{1}\n.type {0}{1}, %function\n{0}{1}: {2}\n.size {0}{1}, .-{0}{1}\n"
    code = "".join(entry.format(PREFIX, name, jump.format(name)) for name in functions)
    entries = toolchain.work / "rdkafka.s"
    write_if_changed(entries, f'.text\n{code}.section .note.GNU-stack,"",%progbits\n')
    renames = "".join(f"#pragma redefine_extname {name} {PREFIX}{name}\n" for name in functions)
    write_if_changed(include.parent / "rename.h", renames)
    return entries


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
    digest = hashlib.sha256((include / "rename.h").read_bytes()).hexdigest()
    environment = {
        "CC": shlex.join(toolchain.compiler),
        "CGO_ENABLED": "1",
        # Go's cache looks at the flags, not into the files that they name: hence the digest.
        "CGO_CFLAGS": f"{go('env', 'CGO_CFLAGS')} {' '.join(HARDENED)} '-I{include}' -include rename.h "
        f"-DRENAMES=0x{digest[:8]}",
        "GOOS": "linux",
        "GOARCH": toolchain.architecture,
        "PATH": f"{pkg_config(toolchain.work / 'bin').parent}{os.pathsep}{os.environ['PATH']}",
        "PKG_CONFIG": "pkg-config",
    }
    # Go's own cache spares the compiling, yet a c-shared library is linked anew each time, for 5 s.
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
    return re.findall(r"\b((?:listener|scan|decoder|producer|kafarr)_\w+)\s*\(", code)


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
    libraries = [NATIVE / RDKAFKA, NATIVE / KAFARR]
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
    parser.add_argument("--testing", action="store_true", help="build the boundary tests' library into build/testing/")
    try:
        print(build(testing=parser.parse_args().testing).relative_to(ROOT))
    except NativeBuildError as error:
        print(f"build_native: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
