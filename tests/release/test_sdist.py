"""The sdist builds where Go is, and says what is missing where it is not."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

import build_native
from release import sdist

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return sdist.build(dist=tmp_path_factory.mktemp("sdist"))


def wheel_of(built, folder, path=None):
    command = [*PIP, "--no-build-isolation", "--wheel-dir", folder, built]
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def only(folder, *programs):
    """A PATH with these programs and nothing else."""
    folder.mkdir()
    for program in programs:
        (folder / program).symlink_to(shutil.which(program))
    return str(folder)


def test_it_holds_what_builds_and_nothing_that_was_built(built):
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "build_native.py",
        "native_wheels.py",
        "go.mod",
        "cgo/kafarr.h",
        "kafarr/doc.go",
        "native/op_pool.c",
        "setup.py",
    } <= names
    assert not [name for name in names if name.endswith((".so", ".so.1", ".pyc"))]
    assert not [name for name in names if name.startswith("pykafarr/_native/")]


def test_two_builds_have_the_same_bytes(built, tmp_path):
    assert sdist.build(dist=tmp_path).read_bytes() == built.read_bytes()


def test_with_go_it_becomes_a_wheel(built, tmp_path):
    done = wheel_of(built, tmp_path)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("pykafarr-*-py3-none-manylinux_*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert f"pykafarr/_native/{build_native.KAFARR}" in archive.namelist()


@pytest.mark.parametrize(
    ("programs", "told"),
    [
        (["gcc"], r"Go was not found. pykafarr's core is written in Go: install Go 1\.\d+"),
        ([], "No C compiler: 'gcc' was not found. Install gcc"),
    ],
    ids=["no Go", "no compiler"],
)
def test_what_is_missing_is_said(built, tmp_path, programs, told, monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    done = wheel_of(built, tmp_path / "wheel", only(tmp_path / "bin", *programs))
    assert done.returncode != 0
    assert re.search(told, done.stdout + done.stderr)
