"""What the build takes from PyPI is what its table says, and what is missing is said."""

import dataclasses
import zipfile

import pytest

import audit
import build_native
import native_wheels


@pytest.fixture
def part(tmp_path):
    """A wheel that lies in a folder of PIP_FIND_LINKS, with no index to ask."""
    made = native_wheels.Part("some-part", "1.0", "py3-none-any", "", "some_part.libs/part.so")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    with zipfile.ZipFile(shelf / made.wheel, "w") as archive:
        archive.writestr(made.member, b"the library")
        archive.writestr("some_part-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: some-part\nVersion: 1.0\n")
        archive.writestr("some_part-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("some_part-1.0.dist-info/RECORD", "")
    return dataclasses.replace(made, sha256=native_wheels.digest(shelf / made.wheel))


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "shelf"))


def test_a_wheel_is_taken_from_where_pip_finds_it_and_is_then_kept(part, offline, monkeypatch, tmp_path):
    assert native_wheels.fetch(part, tmp_path / "kept").read_bytes() == b"the library"
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert native_wheels.fetch(part, tmp_path / "kept").read_bytes() == b"the library"


def test_a_wheel_of_another_hash_is_refused(part, offline, tmp_path):
    other = dataclasses.replace(part, sha256="0" * 64)
    with pytest.raises(native_wheels.NativeBuildError, match=r"could not download some-part 1\.0"):
        native_wheels.fetch(other, tmp_path / "kept")


def test_a_wheel_that_cannot_be_had_is_named_with_the_ways_to_bring_it(part, offline, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(native_wheels.NativeBuildError, match=rf"put {part.wheel} \(SHA-256 {part.sha256}\) into"):
        native_wheels.fetch(part, tmp_path / "kept")


def test_a_python_without_pip_is_named_with_the_way_out(part, monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        native_wheels.NativeBuildError, match=r"which .*python.* does not have\. Build in an environment"
    ):
        native_wheels.fetch(part, tmp_path / "kept")


def test_the_audit_fails_for_a_branch_that_is_out_of_support_and_for_one_that_it_does_not_know(capsys):
    inside = native_wheels.versions(build_native.NATIVE / build_native.RDKAFKA)
    assert audit.c_libraries(inside, "2026-11-29")
    assert not audit.c_libraries(inside, "2030-04-09")
    assert not audit.c_libraries({**inside, "openssl": "3.0.15"}, "2026-11-29")
    assert not audit.c_libraries({**inside, "openssl": "9.9.9"}, "2026-11-29")
    assert "openssl 3.0.15: out of support since 2026-09-07; older than 3.5.8" in capsys.readouterr().out


def test_the_audit_fails_for_a_library_older_than_a_fix(capsys):
    inside = native_wheels.versions(build_native.NATIVE / build_native.RDKAFKA)
    assert not audit.c_libraries({**inside, "curl": "8.10.1"}, "2026-11-29")
    assert "curl 8.10.1: older than 8.22.0" in capsys.readouterr().out
