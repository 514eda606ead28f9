"""What the pages tell a reader to type is there: make targets, files, modules, and the example as it is."""

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CONTRIBUTING")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def test_every_target_is_in_the_makefile():
    commands = re.findall(r"`(?:\w+=\S+ )*make ([a-z][\w -]*)", TEXT)
    named = {word for words in commands for word in words.split() if word.islower()}
    rules = re.findall(r"^([a-z][\w -]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"wheels", "images", "release"} <= named
    assert named - {name for rule in rules for name in rule.split()} == set()


def test_every_link_between_pages_leads_somewhere():
    links = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))]
    assert len(links) > 10
    assert [(page.name, link) for page, link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_every_file_and_module_of_a_command_is_there():
    for name in re.findall(r"(?:docker build|docker compose) -f (\S+)", TEXT):
        assert (ROOT / name).exists(), name
    for module in re.findall(r"python -m ((?:pykafarr|release|tests|bench)[\w.]*)", TEXT):
        assert importlib.util.find_spec(module), module


def test_the_dockerfile_on_the_page_is_the_one_of_the_example():
    (shown,) = re.findall(r"^```dockerfile\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert shown == (ROOT / "examples" / "app" / "Dockerfile").read_text()
