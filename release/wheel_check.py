"""What a wheel must be: the right files, libraries that load where its name says, nothing of who built it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import SymbolTableSection

import build_native

GLIBC = (2, 28)  # the oldest that pyarrow's own wheels run on
LIBRARIES = (build_native.KAFARR, build_native.RDKAFKA, build_native.POOL)
NATIVE = {"THIRD_PARTY_LICENSES.txt", "kafarr.h", *LIBRARIES}
# What every glibc system has, and each other.
NEEDED = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", *LIBRARIES}
LOADERS = {"x86_64": "ld-linux-x86-64.so.2", "aarch64": "ld-linux-aarch64.so.1"}
ELF_MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}
ATTRIBUTES = {"DT_NEEDED": "needed", "DT_RPATH": "rpath", "DT_RUNPATH": "runpath"}  # where elftools has the text
STATIC_TLS = 64  # bytes that a library linked initial-exec may want; after pyarrow, a few hundred are left


def faults(wheel: Path) -> list[str]:
    """All that is wrong with the wheel, a sentence each."""
    found = re.fullmatch(r"pykafarr-(.+)-py3-none-manylinux_(\d+)_(\d+)_(x86_64|aarch64)\.whl", wheel.name)
    if not found:
        return [f"{wheel.name} is no name of a wheel of pykafarr's"]
    version, major, minor, machine = found.groups()
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    libraries = {name: files.get(f"pykafarr/_native/{name}") for name in LIBRARIES}
    wrong = [*wrong_files(files, version), *wrong_record(files, version), *wrong_licences(files, version)]
    for name, data in libraries.items():
        if data:
            wrong += [f"{name}: {what}" for what in wrong_library(name, data, machine, (int(major), int(minor)))]
            wrong += [f"{name}: {what}" for what in wrong_exports(name, data, files)]
    return wrong + wrong_platform(wheel)


def holds(data: bytes, path: str) -> bool:
    """Whether a path is in there. A short one, such as the dev image's /src, is part of addresses, too."""
    part_of_another = rb"(?<![\w.-])" if path.count("/") == 1 else b""
    return re.search(part_of_another + re.escape(path.encode()) + b"/", data) is not None


def wrong_files(files: dict[str, bytes], version: str) -> list[str]:
    """Files that are missing, or should not be there, or hold a path of the machine that built them."""
    sources = build_native.ROOT / "pykafarr"
    info = f"pykafarr-{version}.dist-info"
    wanted = {f"pykafarr/{path.relative_to(sources)}" for path in sources.rglob("*.py")} | {"pykafarr/py.typed"}
    wanted |= {f"pykafarr/_native/{name}" for name in NATIVE}
    wanted |= {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "top_level.txt", "licenses/LICENSE")}
    wanted.add(f"{info}/sboms/pykafarr.cdx.json")
    wrong = [f"{name} is missing" for name in sorted(wanted - files.keys())]
    wrong += [f"{name} does not belong there" for name in sorted(files.keys() - wanted)]
    here = [str(build_native.ROOT), str(Path.home()), build_native.go("env", "GOMODCACHE"), sys.prefix]
    for name, data in files.items():
        wrong += [f"{name} holds the path {path}" for path in here if len(path) > 1 and holds(data, path)]
    return wrong


def wrong_record(files: dict[str, bytes], version: str) -> list[str]:
    """Files whose hash is not the one in RECORD."""
    record = f"pykafarr-{version}.dist-info/RECORD"
    hashes = {row[0]: row[1] for row in csv.reader(io.StringIO(files.get(record, b"").decode())) if row}
    wrong = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        if name != record and hashes.get(name) != f"sha256={digest}":
            wrong.append(f"{name} is not the file that RECORD lists")
    return wrong


def wrong_licences(files: dict[str, bytes], version: str) -> list[str]:
    """Parts of the bill of materials without a licence, or whose licence text is not in the wheel."""
    texts = files.get("pykafarr/_native/THIRD_PARTY_LICENSES.txt", b"").decode()
    materials = json.loads(files.get(f"pykafarr-{version}.dist-info/sboms/pykafarr.cdx.json", b"{}"))
    inside = [part for part in materials.get("components", []) if not part.get("isExternal")]
    wrong = [] if inside else ["its bill of materials is empty"]
    for part in inside:
        named = part["name"].removesuffix(" runtime and standard library").removesuffix(" of the core")
        headed = rf"^({re.escape(named)}( {re.escape(part.get('version', ''))})?|LICENSE\.{re.escape(named)})$"
        if not re.search(headed, texts, re.MULTILINE):
            wrong.append(f"the licence of {named} is not in THIRD_PARTY_LICENSES.txt")
        if not part["licenses"]:
            wrong.append(f"{named} has no licence in the bill of materials")
    return wrong


def wrong_library(name: str, data: bytes, machine: str, tag: tuple[int, int]) -> list[str]:
    """What keeps a library from loading where the wheel's name says that it does."""
    elf = ELFFile(io.BytesIO(data))
    if elf["e_machine"] != ELF_MACHINES[machine]:
        return [f"it is for {elf['e_machine']}, the wheel for {machine}"]
    wrong = []
    newest = max(glibc_versions(elf), default=(0, 0))
    if newest > tag:
        wrong.append("it needs GLIBC_{}.{}, which the wheel's name does not say".format(*newest))
    dynamic = elf.get_section_by_name(".dynamic")
    assert isinstance(dynamic, DynamicSection)
    for entry in dynamic.iter_tags():
        kind, text = entry.entry.d_tag, str(getattr(entry, ATTRIBUTES.get(entry.entry.d_tag, ""), ""))
        if kind == "DT_NEEDED" and text not in {*NEEDED, LOADERS[machine]}:
            wrong.append(f"it needs {text}, which not every system has")
        if kind in {"DT_RPATH", "DT_RUNPATH"} and text != "$ORIGIN":
            wrong.append(f"it looks for libraries in {text}")
    segments = {segment["p_type"]: segment for segment in elf.iter_segments()}
    if "PT_GNU_STACK" not in segments or segments["PT_GNU_STACK"]["p_flags"] & 1:
        wrong.append("its stack is executable")
    if "PT_GNU_RELRO" not in segments:
        wrong.append("its tables of addresses stay writable (no RELRO)")
    now = any(binds_now(entry.entry.d_tag, entry.entry.d_val) for entry in dynamic.iter_tags())
    # librdkafka's makers have linked it: docs/decisions/0047-librdkafka-from-confluent-kafka.md
    if not now and name != build_native.RDKAFKA:
        wrong.append("its tables of addresses stay writable until each is used (no BIND_NOW)")
    static = any(entry.entry.d_tag == "DT_FLAGS" and entry.entry.d_val & 0x10 for entry in dynamic.iter_tags())
    wanted = segments["PT_TLS"]["p_memsz"] if "PT_TLS" in segments else 0
    if static and wanted > STATIC_TLS:
        wrong.append(f"it wants {wanted} bytes of static thread-local data, for which pyarrow leaves no room")
    return wrong


def binds_now(tag: str, value: int) -> bool:
    """Whether an entry of the dynamic section has the loader look up every function at once (elf.h)."""
    return tag == "DT_BIND_NOW" or bool(value & {"DT_FLAGS": 0x8, "DT_FLAGS_1": 0x1}.get(tag, 0))


def glibc_versions(elf: ELFFile) -> set[tuple[int, int]]:
    """The versions of glibc that the library asks the loader for."""
    section = elf.get_section_by_name(".gnu.version_r")
    if not isinstance(section, GNUVerNeedSection):
        return set()
    names = [version.name for _, versions in section.iter_versions() for version in versions]
    found = (re.match(r"GLIBC_(\d+)\.(\d+)", name) for name in names)
    return {(int(version[1]), int(version[2])) for version in found if version}


def wrong_exports(name: str, data: bytes, files: dict[str, bytes]) -> list[str]:
    """Functions that leave the library and should not, or the other way round."""
    table = ELFFile(io.BytesIO(data)).get_section_by_name(".dynsym")
    assert isinstance(table, SymbolTableSection)
    symbols = [symbol for symbol in table.iter_symbols() if symbol["st_shndx"] not in {"SHN_UNDEF", "SHN_ABS"}]
    exported = {symbol.name for symbol in symbols if symbol["st_info"]["bind"] != "STB_LOCAL" and symbol.name}
    if name != build_native.KAFARR:
        return [f"it exports {symbol}" for symbol in sorted(exported) if not symbol.startswith(build_native.PREFIX)]
    with tempfile.NamedTemporaryFile(suffix=".h") as header:
        header.write(files.get("pykafarr/_native/kafarr.h", b""))
        header.flush()
        declared = set(build_native.exported_functions([Path(header.name)]))
    wrong = [f"it exports {symbol}, which kafarr.h does not declare" for symbol in sorted(exported - declared)]
    return wrong + [f"it does not export {symbol}" for symbol in sorted(declared - exported)]


def wrong_platform(wheel: Path) -> list[str]:
    """Whether auditwheel gives the wheel the name that it has."""
    command = [sys.executable, "-m", "auditwheel", "show", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = " ".join((done.stdout + done.stderr).split())
    named = re.search(r'consistent with the following platform tag: "(manylinux_\d+_\d+_\w+)"', said)
    if not named or f"-{named[1]}.whl" not in wheel.name:
        return [f"auditwheel says otherwise: {said}"]
    return []


def main() -> int:
    """Checks the wheels that are named."""
    good = True
    for wheel in map(Path, sys.argv[1:]):
        wrong = faults(wheel)
        print(f"{wheel.name}: {'; '.join(wrong) or 'nothing wrong'}")
        good = good and not wrong
    return 0 if good and sys.argv[1:] else 1


if __name__ == "__main__":
    sys.exit(main())
