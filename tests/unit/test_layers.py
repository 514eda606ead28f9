"""The folders of the package are layers: a module imports from its own folder and from those below, and nothing twice
around.

Read from the sources, so that imports within functions and those for types only count, too.
"""

from __future__ import annotations

import ast
import graphlib
import sys
from pathlib import Path
from typing import Any

import pytest

import pykafarr

PACKAGE = Path(pykafarr.__file__).parent
# From the ground up. Folders of one line do not know of each other.
LAYERS = [
    {"_errors", "_naming", "_version"},
    {"_options"},
    {"_library"},
    {"_batches"},
    {"_listeners", "_producers", "_scans", "testing"},
    {"_engines", "_cli"},
    {"__init__", "__main__", "ray", "dask", "spark", "polars"},
]
# Errors have attributes of types that are made further up.
FOR_TYPES = {("_errors", "_scans.report"), ("_errors", "_producers.report")}


def modules() -> dict[str, Path]:
    """The package's modules by their names within it."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, names: set[str]) -> set[str]:
    """What a module imports of the package, wherever in it."""
    package = name.split(".")[:-1] if path.name != "__init__.py" or name == "__init__" else name.split(".")
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            base = [part for part in base if part]
            for alias in node.names:
                whole = ".".join([*base, alias.name])
                found.add(whole if whole in names else ".".join(base) or "__init__")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pykafarr":
            found.add((node.module or "").removeprefix("pykafarr").removeprefix(".") or "__init__")
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.removeprefix("pykafarr").removeprefix(".") or "__init__"
                for alias in node.names
                if alias.name.split(".")[0] == "pykafarr"
            }
    return found - {name}


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    paths = modules()
    return {
        name: {other for other in imports(name, path, set(paths)) if (name, other) not in FOR_TYPES}
        for name, path in paths.items()
    }


def layer(name: str) -> int:
    (found,) = [number for number, names in enumerate(LAYERS) if name.split(".", maxsplit=1)[0] in names]
    return found


def test_every_import_of_the_package_is_found(graph: dict[str, set[str]]) -> None:
    assert {"_options.checks", "_errors"} <= graph["_options.offsets"]
    assert "_batches.to_pandas" in graph["_batches.batch"]  # within a function
    assert "_batches.batch" in graph["_cli.writers"]  # for types only
    assert "_scans.scan" in graph["__init__"]
    assert len(graph) > 40
    assert {other for others in graph.values() for other in others} <= graph.keys()


def test_no_import_leads_back_to_where_it_came_from(graph: dict[str, set[str]]) -> None:
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle


def test_no_import_leads_to_a_layer_above_or_to_a_neighbour(graph: dict[str, set[str]]) -> None:
    wrong = [
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if name.split(".")[0] != other.split(".")[0] and layer(other) >= layer(name)
    ]
    assert wrong == []


def test_the_options_need_nothing_but_pythons_own_modules_and_the_errors() -> None:
    foreign = set()
    for path in (PACKAGE / "_options").glob("*.py"):
        tree = ast.parse(path.read_text())
        tree.body = [node for node in tree.body if "TYPE_CHECKING" not in ast.unparse(node)[:20]]  # for mypy alone
        for node in ast.walk(tree):
            names: list[Any] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            elif isinstance(node, ast.ImportFrom) and node.level > 1:
                names = [] if node.module in {"_errors", "_naming", "_version"} else [f"..{node.module}"]
            foreign |= {(path.name, name) for name in names if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for _, name in foreign} <= {"typing_extensions"}


def test_a_folder_has_no_code_of_its_own() -> None:
    for path in PACKAGE.glob("_*/__init__.py"):
        assert len(ast.parse(path.read_text()).body) == 1, f"{path} has more than its docstring"
