"""`make images`: builds both images and the example application, looks into them, runs them, and prints the figures.

With a broker: what a program outside writes, the runtime image and the example application read, and SIGTERM ends them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import build_native
from release import engine, sources

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = sources.ROOT
RUNTIME, DEV, APP = "pykafarr", "pykafarr-dev", "pykafarr-example"
ALLOWANCE = 60_000_000  # bytes over the base with pyarrow, pandas and numpy
LABELS = ("title", "description", "licenses", "version", "revision", "base.name")
MEASURE = """
import json, pathlib, sysconfig
size = lambda path: sum(file.lstat().st_size for file in path.rglob("*"))
folder = pathlib.Path(sysconfig.get_path("purelib"))
named = [path for path in folder.iterdir() if path.name.split("-")[0].split(".")[0] in ("pyarrow", "pandas", "numpy")]
print(json.dumps({"frames": sum(map(size, named)), "pykafarr": size(folder / "pykafarr")}))
"""
# As process 1's child would be stopped: tini hands the signal on.
STOPPED = """
HEALTH_FILE=/home/kafarr/alive tini -s -- {command} & child=$!
for _ in $(seq 100); do [ -e {until} ] && break; sleep 0.1; done
sleep {seconds}; kill -TERM $child; wait $child; echo "status $?"
"""


class Check:
    """Collects what is right and wrong, a line each."""

    def __init__(self) -> None:
        self.failed = 0

    def __call__(self, good: bool, what: str, otherwise: str = "") -> None:
        """Prints the line, and counts it if it is not good."""
        self.failed += not good
        print(f"  ok      {what}" if good else f"  FAILED  {what}: {otherwise}", flush=True)


def bases() -> tuple[str, str]:
    """The images that the Dockerfiles begin with, Python's and Go's: as the environment names them, or else they."""
    text = (ROOT / "Dockerfile.runtime").read_text()
    python, go = (
        os.environ.get(name) or re.findall(rf"^ARG {name}=(\S+)$", text, re.MULTILINE)[0]
        for name in ("PYTHON_IMAGE", "GO_IMAGE")
    )
    return python, go


def build(made: engine.Docker | engine.Buildah, wanted: list[str]) -> None:
    """Builds the images: runtime, with the example application, and dev."""
    python, go = bases()
    arguments = {"VERSION": build_native.version(), "REVISION": sources.git("rev-parse", "HEAD")}
    arguments |= {"PYTHON_IMAGE": python, "GO_IMAGE": go}
    made.fetch(python, go)
    context = sources.copy(ROOT / "build" / "images")  # what git knows of: nothing else can slip in
    for tag, dockerfile, folder in (
        (RUNTIME, "Dockerfile.runtime", context),
        (DEV, "Dockerfile.dev", context),
        (APP, "examples/app/Dockerfile", context / "examples" / "app"),
    ):
        if ("dev" if tag == DEV else "runtime") not in wanted:
            continue
        begun = time.monotonic()
        made.build(context / dockerfile, folder, f"{tag}:latest", {} if tag == APP else arguments)
        print(f"{tag}: built by {made.name} in {time.monotonic() - begun:.0f} s", flush=True)


def look(made: engine.Docker | engine.Buildah, check: Check) -> None:
    """What the runtime image holds, says of itself, and does without a broker."""
    config = made.config(RUNTIME)
    labels = config.get("Labels") or {}
    check(all(labels.get(f"org.opencontainers.image.{name}") for name in LABELS), "OCI labels", str(labels))
    check(labels.get("org.opencontainers.image.version") == build_native.version(), "the version is the package's")
    check(config.get("Entrypoint") == ["tini", "--"], "tini is process 1", str(config.get("Entrypoint")))
    test = (config.get("Healthcheck") or {}).get("Test", [])
    check(test[:1] == ["CMD"], "it has a health check", str(config))
    health = made.run(RUNTIME, *test[1:])
    check(health.returncode == 0, "and is healthy", health.stdout)
    check(made.run(RUNTIME, "id", "-u").stdout.strip() == "10001", "it does not run as root")
    found = made.run(RUNTIME, "sh", "-c", "for p in gcc cc clang g++ ld as make go javac; do command -v $p; done; true")
    check(not found.stdout.strip(), "no compiler is inside", found.stdout)
    lent = made.run(RUNTIME, "sh", "-c", "ls /etc/pip.conf; env | grep -i -e ^pip_ -e _proxy; true").stdout
    check(not re.search("^/etc/pip.conf|PIP_|proxy=", lent, re.MULTILINE), "nothing of this machine is inside", lent)
    sizes = json.loads(made.run(RUNTIME, "python", "-c", MEASURE).stdout)
    whole, base = made.size(RUNTIME), made.size(bases()[0])
    more = whole - base - sizes["frames"]
    print(
        f"  sizes in MB: image {whole / 1e6:.1f}: base {base / 1e6:.1f}, pyarrow, pandas and numpy "
        f"{sizes['frames'] / 1e6:.1f}, the rest {more / 1e6:.1f} with pykafarr's {sizes['pykafarr'] / 1e6:.1f}"
    )
    check(more <= ALLOWANCE, f"at most {ALLOWANCE / 1e6:.0f} MB more than its base with pyarrow, pandas and numpy")
    demo = made.run(RUNTIME)
    speed = re.search(r"[\d,]+ messages per second", demo.stdout)
    check(demo.returncode == 0 and bool(speed), f"the demo runs: {speed[0] if speed else ''}", demo.stdout)


def read(made: engine.Docker | engine.Buildah, check: Check) -> None:
    """Both read from a real broker, and end when they are told to."""
    from tests.integration.writing import A, Writer, numbers  # noqa: PLC0415  # need a broker, which needs Java
    from tests.servers import start  # noqa: PLC0415

    with start() as cluster:
        topic = cluster.new_topic()
        writer = Writer(cluster)
        writer.write(topic, A, numbers(0, 1000))
        writer.close()
        command = ["python", "-m", "pykafarr", "read", "--servers", cluster.servers, "--registry", cluster.registry_url]
        command += ["--topics", topic, "--from-beginning", "--format", "json"]
        done = made.run(RUNTIME, *command, "--idle-timeout", "5000")
        rows = [json.loads(line)["n"] for line in done.stdout.splitlines() if line.startswith("{")]
        check(rows == list(range(1000)), f"the runtime image reads {len(rows)} rows from a broker", done.stdout[-500:])
        script = STOPPED.format(command=" ".join(command), until="/etc/passwd", seconds=5)
        stopped = made.run(RUNTIME, "bash", "-c", script).stdout
        check(stopped.endswith("status 143\n"), "SIGTERM ends its reading with status 143", stopped[-500:])
        app = f"env KAFKA={cluster.servers} REGISTRY={cluster.registry_url} TOPICS={topic} python app.py"
        script = STOPPED.format(command=app, until="/home/kafarr/alive", seconds=5)
        said = made.run(APP, "bash", "-c", script).stdout
        check("com.example.A: 1000 rows" in said, "the example application reads them", said[-500:])
        check(said.endswith("status 0\n"), "and SIGTERM ends it with status 0", said[-500:])


def look_at_dev(made: engine.Docker | engine.Buildah, check: Check) -> None:
    """What `make test` needs is in the other image."""
    for program in ("go version", "python --version", "javac -version", "mvn --version", "golangci-lint version"):
        done = made.run(DEV, "sh", "-c", program)
        said = [line for line in done.stdout.splitlines() if line.strip()]
        check(done.returncode == 0, f"dev: {said[0] if said else program}", done.stdout)
    print(f"  dev: {made.size(DEV) / 1e6:.0f} MB")


def main() -> int:
    """Builds, looks and runs, and gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m release.images", description=main.__doc__)
    parser.add_argument("images", nargs="*", default=["runtime", "dev"], metavar="runtime|dev", help="default: both")
    parser.add_argument("--no-broker", action="store_true", help="run only what needs no Kafka")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="write the runtime image's archive there")
    options = parser.parse_args()
    try:
        made = engine.find()
    except engine.EngineError as error:
        print(f"no images: {error}", file=sys.stderr)
        return 1
    build(made, options.images)
    check = Check()
    steps: list[Callable[[engine.Docker | engine.Buildah, Check], None]] = []
    if "runtime" in options.images:
        steps += [look] if options.no_broker else [look, read]
    if "dev" in options.images:
        steps += [look_at_dev]
    try:
        for step in steps:
            step(made, check)
    finally:
        made.close()
    if options.save and "runtime" in options.images and not check.failed:
        options.save.mkdir(exist_ok=True)
        archive = options.save / f"pykafarr-{build_native.version()}-image-amd64.tar"
        made.save(f"{RUNTIME}:latest", archive)
        subprocess.run(["gzip", "--no-name", "--force", str(archive)], check=True)  # `docker load` reads it so
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
