"""The page of options, from the table that the package checks them by.

`make types-page` writes the page; tests/unit/test_options.py compares it with the table.
"""

from __future__ import annotations

from pathlib import Path

from pykafarr._options.table import OPTIONS, REQUIRED, Option

PAGE = Path(__file__).resolve().parents[2] / "docs" / "options.md"
REWRITE = "make types-page"
TEXT = f"""# Options

Every option of `pykafarr.listener()`, of scans (`pykafarr.scan()`, `read()`, and the functions of engines, which pass
them on), of `pykafarr.Decoder`, of `pykafarr.producer()` and of its `send()` (`write()` and the engines pass those of
both on), with its default.
`help(pykafarr.listener)` says what each means.
This page is made of the table that checks the options, `pykafarr/_options/table.py`; `{REWRITE}` rewrites it.

"""
FUNCTIONS = {"listener": "listener", "scan": "scans", "decoder": "decoder", "producer": "producer", "send": "send"}


def page() -> str:
    """The text of the page."""
    lines = [row(option) for option in OPTIONS]
    head = ["| option | default | what it is | taken by | Spark | command line |", "|---|---|---|---|---|---|"]
    return TEXT + "\n".join([*head, *lines]) + "\n"


def row(option: Option) -> str:
    """A line of the table."""
    default = "" if option.default is REQUIRED else f"`{option.default!r}`".replace("'", '"')
    words = ": " + ", ".join(f'`"{word}"`' for word in option.words) if option.words else ""
    forms = f": {option.forms}" if option.forms else ""
    taken = ", ".join(FUNCTIONS[name] for name in option.of)
    spark = "yes" if option.text else ""
    flag = f"`{option.flag}`" if option.flag else ""
    return f"| `{option.name}` | {default} | {option.help}{words}{forms} | {taken} | {spark} | {flag} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
