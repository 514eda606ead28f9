"""Where there is no library, the import says so, and where there is one, it says nothing."""

import os
import sys
from types import SimpleNamespace

import pytest

from pykafarr._library import platform


@pytest.fixture
def on(monkeypatch):
    """Makes this process look like one on another platform."""

    def set_up(system="linux", machine="x86_64", libc="glibc 2.28", implementation="cpython", maxsize=2**63 - 1):
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr(sys, "maxsize", maxsize)
        monkeypatch.setattr(sys, "implementation", SimpleNamespace(name=implementation))
        monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine=machine))

        def confstr(name):
            if libc is None:
                raise ValueError("unrecognized configuration name")
            return libc

        monkeypatch.setattr(os, "confstr", confstr)

    return set_up


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("libc", ["glibc 2.28", "glibc 2.41", "glibc 3.0", "glibc 2.31.9000"])
def test_linux_with_glibc_is_carried(on, machine, libc):
    on(machine=machine, libc=libc)
    platform.check()


@pytest.mark.parametrize(
    ("elsewhere", "told"),
    [
        ({"system": "darwin"}, "for Linux with glibc only so far, not for darwin. A container runs it there"),
        ({"system": "win32"}, "for Linux with glibc only so far, not for win32"),
        ({"libc": None}, r"cannot run on musl \(Alpine\).*Use a glibc-based image"),
        ({"libc": "glibc 2.17"}, "needs glibc 2.28 or newer, and this is 2.17"),
        ({"machine": "riscv64"}, "for 64-bit x86_64 and aarch64, not for 64-bit riscv64"),
        ({"maxsize": 2**31 - 1}, "for 64-bit x86_64 and aarch64, not for 32-bit x86_64"),
        ({"implementation": "pypy"}, "made for CPython, and this is pypy"),
    ],
)
def test_elsewhere_the_import_says_what_is_missing(on, elsewhere, told):
    on(**elsewhere)
    with pytest.raises(ImportError, match=told):
        platform.check()
