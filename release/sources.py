"""The sources that a release is built from: the tracked files, copied into a folder where nothing else lies."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def copy(target: Path, tag: str | None = None) -> Path:
    """Lays the sources into the folder: those of the tag, or those of the working tree. What was built there stays."""
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        if old.name == "build":  # build_native.py knows by content what of its own is stale, setuptools does not
            for made in (folder for folder in old.iterdir() if folder.name != "native"):
                shutil.rmtree(made)
        elif old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()
    if tag:
        archive = subprocess.run(["git", "archive", tag], cwd=ROOT, stdout=subprocess.PIPE, check=True)
        subprocess.run(["tar", "-x", "-C", target], input=archive.stdout, check=True)
        return target
    for name in git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / name)
    return target


def epoch(tag: str | None = None) -> str:
    """The time of the last commit, which is that of every file in an archive: so that two builds are alike."""
    return git("log", "-1", "--format=%ct", tag or "HEAD")


def git(*arguments: str) -> str:
    """What git answers about the repository."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
