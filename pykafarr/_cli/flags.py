"""Errors in the words of the command line: those of the library advise options as Python writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# The advice of a send for a column of keys, whose format is an argument of its own.
_KEY_FORMAT = re.compile(r'key=\{"column": …, "format": "(\w+)"\}')


class Flags:
    """The arguments of a command, by the names that their options have in Python."""

    def __init__(self, flags: Mapping[str, str]) -> None:
        self._flags = flags
        names = "|".join(sorted(flags, key=len, reverse=True)) or "(?!)"
        # `value="avro"`, `schema=` and `register=True`, and no more than that: the rest of a text may be of a message.
        self._advice = re.compile(rf"(?<![\w.'\"\[])({names})=(?:\"([\w.-]+)\"|True\b)?(?![\w'\"\[{{(<])")

    def of(self, text: str) -> str:
        """The text with arguments in the place of Python's."""
        if "key" in self._flags:
            text = _KEY_FORMAT.sub(r"--key-format \1", text)
        return self._advice.sub(self._argument, text)

    def _argument(self, found: re.Match[str]) -> str:
        flag = self._flags[found[1]]
        return f"{flag} {found[2]}" if found[2] else flag
