"""`make audit`: known vulnerabilities of what is inside the wheel and beside it, and the licences inside.

What cannot be asked, because its data base is out of reach, is said and does not fail; what is found does.
"""

# ruff: noqa: T201  # it prints what it finds

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

import build_native
import native_wheels

ROOT = Path(__file__).resolve().parent
OSV = "https://api.osv.dev/v1/querybatch"

# What a licence's text must hold to be taken for it.
LICENSES = {
    "Apache-2.0": r"Apache License,?\s+Version 2\.0",
    "MIT": r"Permission is hereby granted, free of charge",
    "BSD": r"Redistribution and use in source and binary forms, with or without",
    "ISC": r"Permission to use, copy, modify,? and/?(or)? distribute this software",
    "curl": r"COPYRIGHT AND PERMISSION NOTICE",
    "zlib": r"This software is provided 'as-is'",
}
UNFIT = re.compile(r"GNU ((LESSER|AFFERO|LIBRARY) )?GENERAL PUBLIC|Server Side Public|Business Source", re.IGNORECASE)


def license_of(text: str) -> str:
    """The names of the licences that the text holds; empty: none that may be in the wheel."""
    if UNFIT.search(text):
        return ""
    return " and ".join(name for name, words in LICENSES.items() if re.search(words, text))


def licenses() -> bool:
    """Prints the licence of each part of the wheel."""
    good = True
    for name, path in build_native.license_files(build_native.rdkafka_vendor()):
        if path.name.upper().startswith("NOTICE"):
            continue
        found = license_of(path.read_text(errors="replace"))
        good = good and bool(found)
        print(f"  {name}: {found or f'UNKNOWN OR UNFIT: see {path}'}")
    return good


def go_vulnerabilities() -> bool:
    """Asks govulncheck about the code that is called."""
    command = [str(ROOT / ".tools" / "govulncheck"), "./cgo", "./kafarr/..."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: it found some
        print(f"  not checked: {done.stderr.strip()}")
        return True
    print(f"  {done.stdout.strip()}")
    return done.returncode == 0


def python_vulnerabilities() -> bool:
    """Asks the OSV data base about the locked requirements."""
    pinned = sorted(
        {
            found.groups()
            for path in (ROOT / "requirements").glob("*.txt")
            for found in re.finditer(r"^([A-Za-z0-9._-]+)==([^ ;]+)", path.read_text(), re.MULTILINE)
        }
    )
    queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in pinned]
    request = urllib.request.Request(
        OSV, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # the address is fixed
            results = json.load(answer)["results"]
    except (OSError, ValueError, KeyError) as error:
        print(f"  not checked: {OSV}: {error}")
        return True
    bad = [(pin, result["vulns"]) for pin, result in zip(pinned, results, strict=True) if result.get("vulns")]
    for (name, version), vulnerabilities in bad:
        print(f"  {name} {version}: {', '.join(found['id'] for found in vulnerabilities)}")
    print(f"  {len(pinned)} packages asked about, {len(bad)} with known vulnerabilities")
    return not bad


# When upstream stops (https://openssl-library.org/policies/releasestrat/): no other library inside announces that.
SUPPORT_ENDS = {
    "openssl": {"3.0": "2026-09-07", "3.4": "2026-10-22", "3.5": "2030-04-08"},
}
# The oldest version of each that lacks no fix that the notes of librdkafka up to 2.16.0 name, with one of those.
FIXED = {
    "librdkafka": ("2.14.2", "a crash at close while the coordinator is away"),
    "openssl": ("3.5.8", "CVE-2026-75803"),
    "curl": ("8.22.0", "CVE-2026-82209"),
    "zlib": ("1.3.2", "CVE-2026-27171"),
}


def c_libraries(versions: dict[str, str], today: str) -> bool:
    """Prints the C libraries inside; false when one is out of support, or older than a known fix."""
    good = True
    for name, version in sorted(versions.items()):
        faults = []
        branches = SUPPORT_ENDS.get(name)
        if branches is not None:
            ends = branches.get(version.rpartition(".")[0])
            if ends is None:
                faults.append("the end of its support is not known here: add it to SUPPORT_ENDS")
            elif ends < today:
                faults.append(f"out of support since {ends}")
        oldest, why = FIXED.get(name, ("0", ""))
        if [int(part) for part in version.split(".")] < [int(part) for part in oldest.split(".")]:
            faults.append(f"older than {oldest}, which fixes {why}")
        good = good and not faults
        print(f"  {name} {version}: {'; '.join(faults) or 'no fault known here'}")
    return good


def libraries_inside() -> bool:
    """Judges what is linked into the librdkafka that was built."""
    versions = native_wheels.versions(build_native.NATIVE / build_native.RDKAFKA)
    return c_libraries(versions, datetime.now(timezone.utc).date().isoformat())


def main() -> int:
    """Runs all checks and gives the exit status."""
    good = True
    for title, check in (
        ("Go: known vulnerabilities", go_vulnerabilities),
        ("Python: known vulnerabilities of the locked requirements", python_vulnerabilities),
        ("C libraries: support, and fixes that are known here", libraries_inside),
        ("Licences inside the wheel", licenses),
    ):
        print(title, flush=True)
        good = check() and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
