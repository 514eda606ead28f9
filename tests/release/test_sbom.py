"""The bill of materials in the wheel: valid CycloneDX, with everything that is linked in."""

import json
import re
import zipfile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import build_native


@pytest.fixture(scope="module")
def text(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(f"pykafarr-{build_native.version()}.dist-info/sboms/pykafarr.cdx.json").decode()


@pytest.fixture(scope="module")
def parts(text):
    return {part["name"]: part for part in json.loads(text)["components"]}


def test_it_is_valid_cyclonedx(text):
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(text) is None
    broken = json.loads(text)
    broken["components"][0].pop("name")
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(broken)) is not None


def test_every_go_module_that_is_linked_in_is_there(parts):
    template = "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}{{end}}{{end}}"
    listed = build_native.go("list", "-deps", "-tags", "dynamic", "-f", template, "./cgo").splitlines()
    linked = dict(line.split("\t") for line in listed if line)
    assert linked.items() <= {name: part.get("version") for name, part in parts.items()}.items()
    assert parts["Go runtime and standard library"]["version"] == build_native.go("env", "GOVERSION").removeprefix("go")


def test_the_c_libraries_are_of_the_versions_that_the_licences_page_names(parts):
    page = " ".join((build_native.ROOT / "licenses" / "README.md").read_text().split())
    named = dict(re.findall(r"(OpenSSL|curl|zlib|Zstandard|librdkafka) (\d[\d.]*\d)", page))
    names = {"OpenSSL": "openssl", "Zstandard": "zstd"}
    assert len(named) == 5
    assert {names.get(name, name): version for name, version in named.items()} == {
        name: parts[name]["version"] for name in ("openssl", "curl", "zlib", "zstd", "librdkafka")
    }


def test_the_lz4_of_the_core_is_of_the_version_that_the_licences_page_names(parts):
    named = re.search(r"lz4 (\d[\d.]*\d)", (build_native.ROOT / "licenses" / "README.md").read_text())
    assert named
    assert parts["lz4 of the core"]["version"] == named[1]


def test_what_librdkafka_took_over_from_others_is_there(parts):
    assert {"lz4", "snappy", "cjson", "tinycthread", "murmur2"} <= parts.keys()


def test_every_part_inside_has_a_licence(parts):
    assert [name for name, part in parts.items() if not part.get("isExternal") and not part["licenses"]] == []


def test_what_pip_installs_beside_is_there_with_the_versions_that_will_do(parts):
    assert parts["pandas"]["isExternal"]
    assert parts["pandas"]["versionRange"] == "vers:pypi/>=2.2"
    assert {"cffi", "pyarrow"} <= parts.keys()
