"""docs/file-map.md has a line for each file that is tracked, and no line of another."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.test_architecture import tracked

PAGE = Path(__file__).resolve().parents[2] / "docs" / "file-map.md"


def listed() -> dict[str, str]:
    """The paths in the tree of the page, each with what it holds. Those of folders end with a slash."""
    (tree,) = re.findall(r"^```\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    folders: list[str] = []
    paths = {}
    for line in tree.splitlines():
        indent, name, text = re.match(r"( *)(\S+)(?: +(.*))?$", line).groups()  # type: ignore[union-attr]
        del folders[len(indent) // 2 :]
        paths["".join(folders) + name] = text or ""
        if name.endswith("/"):
            folders.append(name)
    return paths


def test_each_file_has_its_line() -> None:
    paths = listed()
    # A folder without lines below it stands for all that is in it.
    whole = tuple(path for path in paths if path.endswith("/") and sum(other.startswith(path) for other in paths) == 1)
    files = {name for name in tracked() if not name.endswith("_test.go") and "/testdata/" not in name}
    assert files - {name for name in files if name.startswith(whole)} == {p for p in paths if not p.endswith("/")}
    assert [folder for folder in whole if not any(name.startswith(folder) for name in tracked())] == []


def test_each_line_says_what_the_file_holds() -> None:
    paths = listed()
    assert len(paths) > 200
    folders = {path[: path.rstrip("/").rfind("/") + 1] for path in paths}  # with lines below them
    assert [path for path, text in paths.items() if not text and path not in folders] == []
