"""The wheel is what its name says, and the check that says so finds what is planted."""

import base64
import hashlib
import io
import json
import subprocess
import sys
import zipfile

import pytest
from elftools.elf.elffile import ELFFile

import build_native
from release import wheel_check, wheels

INFO = f"pykafarr-{build_native.version()}.dist-info"


@pytest.fixture(scope="module")
def files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(files, folder, changes, name=None):
    """The wheel again, with some files other, new (bytes) or gone (None), and a RECORD that fits."""
    made = {**files, **changes}
    made = {path: data for path, data in made.items() if data is not None}
    lines = []
    for path, data in made.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}")
    made[f"{INFO}/RECORD"] = "\n".join(lines).encode()
    wheel = folder / (name or f"pykafarr-{build_native.version()}-py3-none-manylinux_2_28_x86_64.whl")
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, data in made.items():
            archive.writestr(path, data)
    return wheel


def test_nothing_is_wrong_with_the_wheel(wheel):
    assert wheel.name == f"pykafarr-{build_native.version()}-py3-none-manylinux_2_28_x86_64.whl"
    assert wheel_check.faults(wheel) == []


def test_a_wheel_built_in_another_folder_has_the_same_bytes(wheel, tmp_path):
    again = wheels.build("amd64", dist=tmp_path, work=wheels.WORK / "in-another-folder")
    assert wheels.sha256(again) == wheels.sha256(wheel)


def without_flags(library):
    """The library, with the flags of its dynamic section taken away, BIND_NOW among them."""
    section = ELFFile(io.BytesIO(library)).get_section_by_name(".dynamic")
    flags = {"DT_FLAGS", "DT_FLAGS_1", "DT_BIND_NOW"}
    made = bytearray(library)
    for number, entry in enumerate(section.iter_tags()):
        if entry.entry.d_tag in flags:
            value = section["sh_offset"] + number * section["sh_entsize"] + 8
            made[value : value + 8] = bytes(8)
    return bytes(made)


@pytest.mark.parametrize("name", [build_native.KAFARR, build_native.POOL])
def test_a_library_whose_tables_of_addresses_stay_writable_is_found(files, tmp_path, name):
    path = f"pykafarr/_native/{name}"
    wrong = wheel_check.faults(rewritten(files, tmp_path, {path: without_flags(files[path])}))
    assert any(f"{name}: its tables of addresses stay writable until each" in fault for fault in wrong)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"pykafarr/tests.py": b""}, "pykafarr/tests.py does not belong there"),
        ({"pykafarr/_native/THIRD_PARTY_LICENSES.txt": None}, "THIRD_PARTY_LICENSES.txt is missing"),
        ({"pykafarr/_native/THIRD_PARTY_LICENSES.txt": b"none"}, "the licence of librdkafka is not in THIRD_PARTY"),
        ({"pykafarr/py.typed": str(build_native.ROOT).encode() + b"/x"}, "pykafarr/py.typed holds the path"),
        ({f"{INFO}/sboms/pykafarr.cdx.json": b"{}"}, "its bill of materials is empty"),
    ],
)
def test_a_planted_fault_is_found(files, tmp_path, changes, told):
    assert any(told in fault for fault in wheel_check.faults(rewritten(files, tmp_path, changes)))


def test_a_file_that_record_does_not_list_is_found(files, tmp_path):
    wheel = rewritten(files, tmp_path, {})
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("pykafarr/late.py", b"")
    assert "pykafarr/late.py is not the file that RECORD lists" in wheel_check.faults(wheel)


def test_a_function_that_the_header_does_not_declare_is_found(files, tmp_path):
    header = files["pykafarr/_native/kafarr.h"].replace(b"int64_t kafarr_live_bytes(void);", b"")
    wheel = rewritten(files, tmp_path, {"pykafarr/_native/kafarr.h": header})
    assert any("exports kafarr_live_bytes, which kafarr.h does not" in fault for fault in wheel_check.faults(wheel))


def test_a_library_of_another_machine_or_of_a_newer_glibc_is_found(files, tmp_path):
    version = build_native.version()
    arm = rewritten(files, tmp_path, {}, f"pykafarr-{version}-py3-none-manylinux_2_28_aarch64.whl")
    assert f"{build_native.KAFARR}: it is for EM_X86_64, the wheel for aarch64" in wheel_check.faults(arm)
    older = rewritten(files, tmp_path, {}, f"pykafarr-{version}-py3-none-manylinux_2_17_x86_64.whl")
    assert any("needs GLIBC_2.28, which the wheel's name does not say" in fault for fault in wheel_check.faults(older))


def test_a_library_that_exports_what_it_should_keep_is_found(files, tmp_path):
    source = tmp_path / "leaky.c"
    source.write_text("int SSL_new(void) { return 0; }\n")
    made = tmp_path / "leaky.so"
    subprocess.run([*build_native.find_toolchain().compiler, "-shared", "-fPIC", "-o", made, source], check=True)
    changes = {f"pykafarr/_native/{build_native.RDKAFKA}": made.read_bytes()}
    assert f"{build_native.RDKAFKA}: it exports SSL_new" in wheel_check.faults(rewritten(files, tmp_path, changes))


def test_the_command_fails_for_a_faulty_wheel(files, tmp_path):
    wheel = rewritten(files, tmp_path, {"pykafarr/more.py": b""})
    command = [sys.executable, "-m", "release.wheel_check", wheel]
    done = subprocess.run(command, cwd=build_native.ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "more.py does not belong there" in done.stdout) == (1, True)


def test_the_metadata_asks_for_what_pyproject_says_and_names_the_licence(files):
    metadata = files[f"{INFO}/METADATA"].decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.10" in metadata
    assert "Requires-Dist: pyarrow>=" in metadata
    assert json.loads(files[f"{INFO}/sboms/pykafarr.cdx.json"])["metadata"]["component"]["name"] == "pykafarr"


@pytest.mark.parametrize(
    ("path", "data", "held"),
    [
        ("/src", b"https://example.com/go/src/x", False),
        ("/src", b"\0/src/kafarr/poll.go\0", True),
        ("/home/anna", b"poll.go/home/anna/kafarr", True),  # Go's texts follow each other without an end
    ],
)
def test_a_path_of_the_building_machine_is_told_from_a_part_of_another(path, data, held):
    assert wheel_check.holds(data, path) is held
