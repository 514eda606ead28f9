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
from pathlib import Path

import build_native

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


def main() -> int:
    """Runs all checks and gives the exit status."""
    good = True
    for title, check in (
        ("Go: known vulnerabilities", go_vulnerabilities),
        ("Python: known vulnerabilities of the locked requirements", python_vulnerabilities),
        ("Licences inside the wheel", licenses),
    ):
        print(title, flush=True)
        good = check() and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
