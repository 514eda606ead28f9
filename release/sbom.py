"""The bill of materials of a wheel, as CycloneDX: what is inside, and what it asks for beside it.

setup.py puts it into the wheel (PEP 770: .dist-info/sboms/). Everything in it is read off what was built: Go's modules
from the library's build information, the C libraries' versions from the texts in librdkafka.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import audit
import build_native
import native_wheels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SPDX = {"zlib": "Zlib"}  # audit.py's names that SPDX writes in another way

# The C libraries that are linked into librdkafka: who made each (for CPE and PURL).
VENDORED = {
    "openssl": ("openssl:openssl", "generic/openssl@{}"),
    "curl": ("haxx:curl", "generic/curl@{}"),
    "zlib": ("zlib:zlib", "generic/zlib@{}"),
    "zstd": ("facebook:zstandard", "github/facebook/zstd@v{}"),
}


def text(native: Path, requirements: Sequence[str]) -> str:
    """The document for the libraries in the folder, and the package's requirements, as JSON."""
    return json.dumps(document(native, requirements), indent=1, sort_keys=True) + "\n"


def document(native: Path, requirements: Sequence[str]) -> dict[str, Any]:
    """The document: the same for the same libraries, with the time of the sources where SOURCE_DATE_EPOCH says it."""
    vendor = build_native.rdkafka_vendor()
    inside = [*c_libraries(native / build_native.RDKAFKA, vendor), *go_modules(native / build_native.KAFARR, vendor)]
    beside = [python_requirement(requirement) for requirement in requirements]
    package = {
        "type": "library", "bom-ref": "pykafarr", "name": "pykafarr", "version": build_native.version(),
        "purl": f"pkg:pypi/pykafarr@{build_native.version()}", "licenses": [{"license": {"id": "Apache-2.0"}}],
    }  # fmt: skip
    depends = [{"ref": "pykafarr", "dependsOn": sorted(part["bom-ref"] for part in (*inside, *beside))}]
    made: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "version": 1,
        "metadata": {"component": package, "lifecycles": [{"phase": "build"}]},
        "components": sorted((*inside, *beside), key=lambda part: str(part["bom-ref"])),
        "dependencies": depends,
    }
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        made["metadata"]["timestamp"] = datetime.fromtimestamp(int(epoch), timezone.utc).isoformat()
    made["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(made, sort_keys=True)).urn
    return made


def c_libraries(library: Path, vendor: Path) -> list[dict[str, Any]]:
    """librdkafka, what is linked into it, and the sources of others within its own."""
    versions = native_wheels.versions(library)
    licences = (vendor / "LICENSES.txt").read_text(errors="replace")
    own, *others = re.split(r"^LICENSE\.?(\w*)\n-{20,}\n", licences, flags=re.MULTILINE)[2:]
    version = versions["librdkafka"]
    parts = [component("librdkafka", version, f"github/confluentinc/librdkafka@v{version}", own)]
    for name, (maker, purl) in VENDORED.items():
        version = versions[name]
        licence = (build_native.ROOT / "licenses" / f"{name}.txt").read_text(errors="replace")
        part = component(name, version, purl.format(version), licence)
        parts.append({**part, "cpe": f"cpe:2.3:a:{maker}:{version}:*:*:*:*:*:*:*"})
    core = build_native.ROOT / "kafarr" / "internal" / "lz4" / "lz4.h"
    numbers = re.findall(r"#define LZ4_VERSION_(?:MAJOR|MINOR|RELEASE) +(\d+)", core.read_text())
    version = ".".join(numbers)
    licence = (build_native.ROOT / "licenses" / "lz4.txt").read_text()
    parts.append(component("lz4 of the core", version, f"github/lz4/lz4@v{version}", licence))
    # Named and licensed there; but for lz4, of no version that anything tells.
    parts += [
        component(name, versions.get(name), None, licence)
        for name, licence in zip(others[::2], others[1::2], strict=True)
    ]
    return parts


def go_modules(library: Path, vendor: Path) -> list[dict[str, Any]]:
    """Go's runtime and the modules that are linked in, from the library's build information."""
    said = build_native.go("version", "-m", str(library))
    licences: dict[str, str] = {}
    for name, path in build_native.license_files(vendor):
        licences[name] = licences.get(name, "") + path.read_text(errors="replace")
    go = re.search(r": go(\S+)", said)
    if not go:
        raise native_wheels.NativeBuildError(f"{library.name} does not tell which Go built it.")
    parts = [component("Go runtime and standard library", go[1], f"golang/std@{go[1]}", licences["Go"])]
    for name, version in re.findall(r"^\tdep\t(\S+)\t(\S+)", said, re.MULTILINE):
        parts.append(component(name, version, f"golang/{name}@{version}", licences[f"{name} {version}"]))
    return parts


def python_requirement(requirement: str) -> dict[str, Any]:
    """A package that pip installs beside: not inside, and of any version that the requirement allows."""
    name, versions = re.match(r"([A-Za-z0-9._-]+)(.*)", requirement).groups()  # type: ignore[union-attr]
    return {
        "type": "library", "bom-ref": f"pypi/{name}", "name": name, "purl": f"pkg:pypi/{name}", "isExternal": True,
        "versionRange": f"vers:pypi/{versions.replace(',', '|') or '*'}",
    }  # fmt: skip


def component(name: str, version: str | None, purl: str | None, licence: str) -> dict[str, Any]:
    """A part that is inside."""
    made: dict[str, Any] = {"type": "library", "bom-ref": purl or f"librdkafka/{name}", "name": name}
    if version:
        made["version"] = version
    if purl:
        made["purl"] = f"pkg:{purl}"
    known = [{"license": {"id": identifier}} for identifier in identifiers(licence)]
    made["licenses"] = known or [{"license": {"name": "public domain: see THIRD_PARTY_LICENSES.txt"}}]
    return made


def identifiers(licence: str) -> list[str]:
    """SPDX's names of the licences in a text."""
    found = [name for name in audit.license_of(licence).split(" and ") if name]
    if "curl" in found:  # its words are those of ISC, and some more
        return ["curl"]
    clauses = 3 if re.search("(?i)endorse", licence) else 2
    return [f"BSD-{clauses}-Clause" if name == "BSD" else SPDX.get(name, name) for name in found]
