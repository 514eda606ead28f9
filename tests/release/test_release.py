"""What is released follows from the tag, and the workflow calls what the Makefile has."""

import re
from pathlib import Path

import pytest

import build_native
from release import __main__ as release
from release import images

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = "# Changelog\n\n## 0.2.0 (unreleased)\n\n* new\n\n## 0.1.0\n\n* first\n  line\n"


@pytest.mark.parametrize(("version", "section"), [("0.2.0", "* new\n"), ("0.1.0", "* first\n  line\n")])
def test_the_changes_are_the_section_of_the_version(version, section):
    assert release.changes(CHANGELOG, version) == section


@pytest.mark.parametrize("version", ["0.3.0", "0.1", "0.2.0 (unreleased)\n\n## 0"])
def test_a_version_without_a_section_is_not_released(version):
    with pytest.raises(release.ReleaseError, match="has no section"):
        release.changes(CHANGELOG, version)


def test_the_changelog_has_a_section_of_this_version():
    assert release.changes((ROOT / "CHANGELOG.md").read_text(), build_native.version())


@pytest.mark.parametrize(("tag", "told"), [("0.1.0", "named v1.2.3"), ("", "named v1.2.3"), ("v99.0.0", "no tag v99")])
def test_a_tag_that_is_none_is_refused(tag, told):
    with pytest.raises(release.ReleaseError, match=told):
        release.version_of(tag)


def test_a_tag_of_other_sources_is_refused(monkeypatch):
    answers = {"show": '__version__ = "9.9.9"', "rev-parse": "1234", "status": ""}
    monkeypatch.setattr(release.sources, "git", lambda command, *arguments: answers[command])
    assert release.version_of("v9.9.9") == "9.9.9"
    with pytest.raises(release.ReleaseError, match=r"of v1.0.0 does not hold the version 1.0.0"):
        release.version_of("v1.0.0")
    answers["status"] = " M setup.py"
    with pytest.raises(release.ReleaseError, match=r"not that of v9.9.9: M setup.py is changed"):
        release.version_of("v9.9.9")
    commits = iter(["1234", "5678"])
    monkeypatch.setattr(
        release.sources, "git", lambda command, *_: next(commits) if command == "rev-parse" else answers[command]
    )
    with pytest.raises(release.ReleaseError, match=r"another commit's: git checkout v9.9.9"):
        release.version_of("v9.9.9")


def test_the_workflow_calls_targets_that_there_are():
    called = set(re.findall(r"run: (?:sudo )?make ([\w-]+)", (ROOT / ".github" / "workflows" / "ci.yml").read_text()))
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"test", "wheels", "images", "release", "install-matrix", "smoke-aarch64"} <= called
    assert called <= targets


def test_the_workflow_runs_nothing_that_somebody_else_can_change():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    actions = re.findall(r"uses: (\S+)", workflow)
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []
    commands = re.findall(r"run:(.*)", workflow)
    assert commands
    assert [command for command in commands if "${{" in command] == [], "an expression in a command is run as written"
    checkouts = re.findall(r"uses: actions/checkout@.*\n(.*)", workflow)
    assert [line for line in checkouts if "persist-credentials: false" not in line] == []


def test_every_locked_requirement_has_hashes():
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert locks
    for lock in locks:
        pinned = re.findall(r"^\w.*", lock.read_text(), re.MULTILINE)
        assert pinned
        assert [line for line in pinned if not re.fullmatch(r"\S+==\S+( ; .*)? \\", line)] == [], lock.name
        hashes = re.findall(r"^\w.*\\\n    --hash=sha256:[0-9a-f]{64}\b", lock.read_text(), re.MULTILINE)
        assert len(hashes) == len(pinned), lock.name


@pytest.mark.parametrize("name", ["Makefile", "Dockerfile.dev", "Dockerfile.runtime"])
def test_locked_requirements_are_installed_by_their_hashes(name):
    installs = re.findall(r".*(?:pip|PIP\)).* install .*", (ROOT / name).read_text())
    assert installs
    assert [line for line in installs if "--require-hashes" not in line and "--no-deps" not in line] == []


def test_the_environment_pins_the_base_images(monkeypatch):
    for name in ("PYTHON_IMAGE", "GO_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    python, go = images.bases()
    monkeypatch.setenv("PYTHON_IMAGE", f"{python}@sha256:{'0' * 64}")
    assert images.bases() == (f"{python}@sha256:{'0' * 64}", go)
