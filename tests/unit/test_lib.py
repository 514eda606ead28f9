"""How the library is found, and what is said when it cannot be used."""

from pathlib import Path

import pytest

import pykafarr
from pykafarr._library import library as lib

HEADER = Path(__file__).resolve().parents[2] / "cgo" / "kafarr.h"


@pytest.fixture
def unloaded(monkeypatch):
    monkeypatch.setattr(lib._Process, "loaded", None)
    monkeypatch.delenv("PYKAFARR_LIBRARY", raising=False)
    return monkeypatch


def test_cffi_reads_the_header_without_preprocessor_lines():
    code = lib._declarations(HEADER.read_text())
    assert not [line for line in code.splitlines() if line.startswith("#")]
    assert 'extern "C"' not in code
    assert "struct kafarr_batch {" in code


def test_a_missing_library_is_told_with_the_way_to_get_it(unloaded, tmp_path):
    unloaded.setenv("PYKAFARR_LIBRARY", str(tmp_path / "libkafarr.so"))
    with pytest.raises(
        ImportError, match=r"pykafarr's library is missing: .*libkafarr.so. Install a wheel; .*make build"
    ):
        pykafarr.listener("a:1", "g", "t", "http://127.0.0.1:9")


def test_a_file_that_is_no_library_is_an_import_error(unloaded, tmp_path):
    (tmp_path / "libkafarr.so").write_text("no library")
    (tmp_path / "kafarr.h").write_text(HEADER.read_text())
    unloaded.setenv("PYKAFARR_LIBRARY", str(tmp_path / "libkafarr.so"))
    with pytest.raises(ImportError, match="pykafarr's library cannot be loaded"):
        pykafarr.decode('"long"', [])


def test_a_library_of_another_version_is_refused(unloaded, tmp_path):
    class Other:
        def __init__(self, path):
            self.versions = {"version": "99.0"}

    unloaded.setattr(lib, "Library", Other)
    unloaded.setattr(lib, "library_path", lambda: tmp_path)
    with pytest.raises(ImportError, match=rf"pykafarr {pykafarr.__version__} found the library of version 99.0"):
        pykafarr.decode('"long"', [])


def test_a_forked_child_is_refused(fake, monkeypatch):
    p = pykafarr.listener("a:1", "g", "t", "http://127.0.0.1:9")
    with monkeypatch.context() as patch:
        patch.setattr(lib._Process, "forked", True)
        for call in (p.poll, p.commit, p.close, p.stats, lambda: pykafarr.decode('"long"', [])):
            with pytest.raises(pykafarr.ForkError, match=r'multiprocessing.get_context\("spawn"\)'):
                call()
        assert not lib.usable()
        p.__del__()  # says nothing and calls nothing
    assert fake.calls == []
    p.close()
