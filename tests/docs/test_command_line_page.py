"""The commands of docs/command-line.md run as they stand, but for the addresses, and for an end."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from pykafarr._cli.main import _parser, main
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"
TEXT = PAGE.read_text(encoding="utf-8")
PRICE = {"type": "record", "name": "Price", "fields": [{"name": "symbol", "type": "string"}]}
SHOP = 'syntax = "proto3"; package shop; message Other {} message Order { int64 id = 1; }'


def test_the_commands_read_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("columns.json").write_text('{"id": "int64", "name": "string"}')
    Path("shop.proto").write_text(SHOP)
    text = "".join(re.findall(r"^```\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)).replace("\\\n", "")
    rows = {"PRICES": {"symbol": "GBPUSD"}, "EVENTS": {"id": 1, "name": "a"}, "ORDERS": {"id": 5}}
    with MockKafka() as kafka:
        kafka.produce("PRICES", PRICE, [rows["PRICES"]])
        kafka.produce_raw("EVENTS", [json.dumps(rows["EVENTS"]).encode()])
        kafka.produce_raw("ORDERS", [b"\x08\x05"])
        commands = text.replace("kafka:9092", kafka.servers).replace("http://registry:8081/", kafka.registry_url)
        for command, row in zip(commands.splitlines(), rows.values(), strict=True):
            python, dash, module, *arguments = shlex.split(command)
            assert (python, dash, module) == ("python", "-m", "pykafarr")
            assert main([*arguments, "--start", "earliest", "--format", "json", "--metadata"]) == 0
            assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [row]


def test_every_argument_that_the_page_names_is_one_of_read() -> None:
    named = set(re.findall(r"(?<=`)--[a-z-]+|(?<= )--[a-z-]+(?= )", TEXT)) - {"--include_imports", "--help"}
    usage = next(action for action in _parser()._actions if action.choices).choices["read"].format_help()  # type: ignore[index,call-overload]
    assert [flag for flag in named if flag not in usage] == []
