"""show_versions(): one source of the version, and all that a report needs."""

import io
from importlib import metadata

import pandas as pd
import pyarrow as pa
import pytest

import build_native
import native_wheels
import pykafarr
from pykafarr._library import library as lib


def shown():
    out = io.StringIO()
    pykafarr.show_versions(out)
    rows = (line.split(None, 1) for line in out.getvalue().splitlines() if not line.startswith(" "))
    return dict(rows)


def test_package_and_library_have_the_version_of_the_one_file_that_holds_it():
    assert shown()["pykafarr"] == shown()["library"] == pykafarr.__version__ == lib.library().versions["version"]


def test_every_part_is_named():
    versions = shown()
    assert versions["librdkafka"].count(".") == 2
    assert versions["OpenSSL"].startswith("3.5.")
    assert versions["Go"].startswith("go1.")
    assert versions["arrow-go"].startswith("v18.")
    assert versions["pyarrow"] == pa.__version__
    assert versions["pandas"] == pd.__version__
    assert versions["cffi"] == metadata.version("cffi")
    assert "glibc" in versions["platform"]
    assert versions["build"].startswith("linux/")
    assert "-buildmode=c-shared" in versions["build"]


def test_the_features_of_librdkafka_are_those_that_the_readme_promises():
    features = lib.library().versions["features"].split(",")
    assert {"gzip", "snappy", "lz4", "zstd", "ssl", "sasl_plain", "sasl_scram", "sasl_oauthbearer"} <= set(features)
    assert "sasl_gssapi" not in features


def test_a_library_that_does_not_load_is_told_in_its_place(monkeypatch, tmp_path):
    monkeypatch.setattr(lib._Process, "loaded", None)
    monkeypatch.setenv("PYKAFARR_LIBRARY", str(tmp_path / "libkafarr.so"))
    versions = shown()
    assert versions["library"].startswith("not usable: pykafarr's library is missing")
    assert versions["Python"]
    assert versions["PYKAFARR_LIBRARY"] == str(tmp_path / "libkafarr.so")


def test_in_a_forked_child_the_rest_is_shown(monkeypatch):
    monkeypatch.setattr(lib._Process, "forked", True)
    assert shown()["library"].startswith("not usable: pykafarr cannot be used in a process forked")


def test_standard_output_is_where_they_go(capsys: pytest.CaptureFixture[str]):
    pykafarr.show_versions()
    assert capsys.readouterr().out.startswith(f"pykafarr      {pykafarr.__version__}\n")


def test_librdkafka_is_the_one_that_the_build_pins():
    assert lib.library().versions["librdkafka"] == native_wheels.UNTOLD["librdkafka"]


def test_librdkafka_calls_the_allocator_for_its_messages_by_names_of_our_own():
    named = (build_native.NATIVE / build_native.RDKAFKA).read_bytes()
    assert all(f"\0{name}\0".encode() in named for name in ("pykafarr_calloc", "pykafarr_realloc", "pykafarr_free"))
    assert {"rd_kafka_new", "rd_kafka_destroy"}.isdisjoint(
        build_native.defined_functions(build_native.NATIVE / build_native.RDKAFKA)
    )
