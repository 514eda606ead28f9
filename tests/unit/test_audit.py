"""make audit: which licences pass, and what is said of vulnerabilities."""

import json
import urllib.request
from io import BytesIO

import pytest

import audit

MIT = "Permission is hereby granted, free of charge, to any person"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (MIT, "MIT"),
        ("Apache License\n    Version 2.0, January 2004", "Apache-2.0"),
        ("GNU GENERAL PUBLIC LICENSE\nVersion 3", ""),
        ("GNU Lesser General Public License", ""),
        (f"{MIT}\n GNU AFFERO GENERAL PUBLIC LICENSE", ""),
        ("All rights reserved.", ""),
    ],
)
def test_a_licence_passes_only_if_it_is_known_and_fit(text, found):
    assert audit.license_of(text) == found


@pytest.mark.parametrize("vulnerable", [True, False])
def test_a_known_vulnerability_of_a_requirement_fails(monkeypatch, capsys, vulnerable):
    def answer(request, timeout):
        asked = json.loads(request.data)["queries"]
        results = [{} for _ in asked]
        if vulnerable:
            results[0] = {"vulns": [{"id": "PYSEC-1"}]}
        return BytesIO(json.dumps({"results": results}).encode())

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    assert audit.python_vulnerabilities() is not vulnerable
    assert ("PYSEC-1" in capsys.readouterr().out) is vulnerable


def test_a_data_base_out_of_reach_is_said_and_does_not_fail(monkeypatch, capsys):
    def answer(request, timeout):
        raise OSError("no such host")

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    assert audit.python_vulnerabilities()
    assert "not checked: " in capsys.readouterr().out
