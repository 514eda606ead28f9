"""The wheel, as a stranger has it: an environment of its own, without Go, compiler or source tree."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from release import wheels
from tests.integration.writing import A, numbers

SCRIPT = """
import json, sys
import pykafarr
servers, topic, registry_url = sys.argv[1:]
with pykafarr.listener(servers, "stranger", [topic], registry_url, config={"auto.offset.reset": "earliest"}) as p:
    message_type, frame = p.poll(num_messages=10, max_time=10_000)
print(json.dumps([pykafarr.__file__, message_type, frame["n"].tolist()]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that PYKAFARR_WHEEL names, else one that is built now, as `make wheels` does."""
    if named := os.environ.get("PYKAFARR_WHEEL"):
        return Path(named).resolve()
    return wheels.build("amd64", dist=tmp_path_factory.mktemp("dist"))


@pytest.mark.slow
@pytest.mark.timeout(900)  # downloads pandas and pyarrow where pip has them not cached
def test_a_wheel_in_an_empty_environment_reads_a_real_topic(wheel, cluster, writer, topic, tmp_path):
    writer.write(topic, A, numbers(0, 10))
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel], check=True)
    path = str(python.parent)
    assert shutil.which("go", path=path) is None

    done = subprocess.run(
        [python, "-c", SCRIPT, cluster.servers, topic, cluster.registry_url],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={"PATH": path, "HOME": str(tmp_path)},
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    file, message_type, rows = json.loads(done.stdout)
    assert Path(file).is_relative_to(tmp_path)
    assert (message_type, rows) == ("com.example.A", list(range(10)))
