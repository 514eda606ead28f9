"""What builds and runs images: Docker where its engine runs, else buildah, which needs no daemon.

buildah runs with chroot isolation and the vfs driver, which work within a container, too, and keeps its images in a
folder of its own. What this machine needs to reach its registries (pip.conf, CA certificates, proxies) is lent to the
build, and none of it gets into an image.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from release import sources

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


class EngineError(Exception):
    """No images can be made here; the text says why."""


class Docker:
    """`docker`, whose daemon answers."""

    name = "docker"

    def close(self) -> None:
        """Docker's containers are gone when they end."""

    def fetch(self, python: str, go: str) -> None:
        """Docker pulls the bases while it builds."""

    def build(self, dockerfile: Path, context: Path, tag: str, arguments: dict[str, str]) -> None:
        """Builds an image."""
        given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        run(["docker", "build", "-f", str(dockerfile), "-t", tag, *given, str(context)])

    def run(self, tag: str, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Runs the image's command, or another one, in the host's network."""
        return caught(["docker", "run", "--rm", "--network=host", tag, *command], timeout)

    def config(self, tag: str) -> dict[str, Any]:
        """The image's configuration: User, Entrypoint, Cmd, Env, Labels, Healthcheck."""
        return dict(json.loads(run(["docker", "image", "inspect", tag], capture=True))[0]["Config"])

    def size(self, tag: str) -> int:
        """The image's size in bytes."""
        return int(json.loads(run(["docker", "image", "inspect", tag], capture=True))[0]["Size"])

    def save(self, tag: str, archive: Path) -> None:
        """Writes the image into an archive that `docker load` reads."""
        run(["docker", "save", "-o", str(archive), tag])

    def has(self, tag: str) -> bool:
        """Whether the image is here."""
        return caught(["docker", "image", "inspect", tag], 60).returncode == 0


class Buildah:
    """`buildah`, with bases of its own where none can be pulled (release/stand_ins.sh)."""

    name = "buildah"

    def __init__(self) -> None:
        home = Path(os.environ.get("IMG_BASE", Path.home() / ".cache" / "pykafarr-images"))
        home.mkdir(parents=True, exist_ok=True)
        storage = f'[storage]\ndriver = "vfs"\ngraphroot = "{home}/storage"\nrunroot = "{home}/run"\n'
        (home / "storage.conf").write_text(storage)
        (home / "registries.conf").write_text('unqualified-search-registries = ["docker.io"]\n')
        (home / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}\n')
        self.policy = ["--signature-policy", str(home / "policy.json")]
        self.containers: dict[str, str] = {}
        self.environment = {
            "STORAGE_DRIVER": "vfs",
            "BUILDAH_ISOLATION": "chroot",
            "CONTAINERS_STORAGE_CONF": str(home / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(home / "registries.conf"),
        }

    def build(self, dockerfile: Path, context: Path, tag: str, arguments: dict[str, str]) -> None:
        """Builds an image, of bases that are here."""
        given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        given += [f"--build-arg={name}={os.environ[name]}" for name in PROXIES if os.environ.get(name)]
        given += [f"--volume={CERTIFICATES}:{CERTIFICATES}:ro"] if Path(CERTIFICATES).is_file() else []
        # root's home is lent as well: a file that is lent where there was none leaves its name in the image.
        home = Path(tempfile.mkdtemp(prefix="pykafarr-build-"))
        if (pip := Path("/etc/pip.conf")).is_file():
            (home / ".config" / "pip").mkdir(parents=True)
            shutil.copy(pip, home / ".config" / "pip" / "pip.conf")
        given.append(f"--volume={home}:/root")
        # Docker's own format: the other one has no HEALTHCHECK. And no --layers, for each of which vfs copies all.
        options = ["--isolation=chroot", "--pull-never", "--format=docker"]
        options += ["--ignorefile", str(sources.ROOT / ".dockerignore")]
        command = ["buildah", "bud", *self.policy, *options, *given, "-f", str(dockerfile), "-t", tag, str(context)]
        try:
            run(command, self.environment)
        finally:
            run(["chmod", "-R", "u+w", str(home)])  # Go's modules are read-only
            shutil.rmtree(home)

    def fetch(self, python: str, go: str) -> None:
        """Pulls the bases, or has stand-ins made for them."""
        if all(self.has(f"docker.io/library/{name}") for name in (python, go)):
            return
        pulls = [["buildah", "pull", *self.policy, "--quiet", f"docker.io/library/{name}"] for name in (python, go)]
        if all(caught(pull, 600, self.environment).returncode == 0 for pull in pulls):
            return
        print("The base images cannot be pulled: stand-ins are made of Debian's packages", flush=True)
        run(["bash", str(sources.ROOT / "release" / "stand_ins.sh"), python, go], self.environment)

    def run(self, tag: str, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Runs the image's command, or another one: with its entry point, which `buildah run` does not know."""
        config = self.config(tag)
        whole = [*(config.get("Entrypoint") or []), *(command or config.get("Cmd") or [])]
        # A chroot has no process 1 of its own, about which tini would complain.
        options = ["--isolation=chroot", "--env=TINI_SUBREAPER=1"]
        return caught(["buildah", "run", *options, self.container(tag), "--", *whole], timeout, self.environment)

    def container(self, tag: str) -> str:
        """The one container of the image that all runs share: vfs copies the whole image for each."""
        if tag not in self.containers:
            command = ["buildah", "from", *self.policy, "--pull-never", tag]
            self.containers[tag] = run(command, self.environment, capture=True)
        return self.containers[tag]

    def close(self) -> None:
        """Removes the containers."""
        for container in self.containers.values():
            run(["buildah", "rm", container], self.environment, capture=True)
        self.containers.clear()

    def config(self, tag: str) -> dict[str, Any]:
        """The image's configuration: User, Entrypoint, Cmd, Env, Labels, Healthcheck."""
        said = json.loads(run(["buildah", "inspect", "--type=image", tag], self.environment, capture=True))
        return dict(said["Docker"]["config"])

    def size(self, tag: str) -> int:
        """The image's size in bytes: of its files, as vfs holds them once for each layer."""
        mounted = run(["buildah", "mount", self.container(tag)], self.environment, capture=True)
        return int(run(["du", "-sb", mounted], capture=True).split()[0])

    def save(self, tag: str, archive: Path) -> None:
        """Writes the image into an archive that `docker load` reads."""
        archive.unlink(missing_ok=True)
        run(["buildah", "push", *self.policy, "--quiet", tag, f"docker-archive:{archive}:{tag}"], self.environment)

    def has(self, tag: str) -> bool:
        """Whether the image is here."""
        return caught(["buildah", "inspect", "--type=image", tag], 60, self.environment).returncode == 0


def find() -> Docker | Buildah:
    """The engine that this machine has."""
    if shutil.which("docker") and caught(["docker", "info"], 60).returncode == 0:
        return Docker()
    if not shutil.which("buildah"):
        raise EngineError("no Docker engine runs here and buildah is missing (Debian: apt-get install buildah)")
    if os.geteuid() != 0:
        raise EngineError("buildah's chroot isolation needs root here")
    return Buildah()


def run(command: list[str], environment: dict[str, str] | None = None, *, capture: bool = False) -> str:
    """Runs a command that must succeed."""
    whole, stdout = {**os.environ, **(environment or {})}, subprocess.PIPE if capture else None
    return (subprocess.run(command, env=whole, stdout=stdout, text=True, check=True).stdout or "").strip()


def caught(
    command: list[str], timeout: float, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a command that may fail, and gives what it printed, on both ways, as stdout."""
    return subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
