"""What the engines' tests share: a plan in memory in the place of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import pykafarr
from tests.engines.fake import METADATA, Diary, Plan

if TYPE_CHECKING:
    from pathlib import Path

Planned = Callable[..., Plan]


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    return Diary(tmp_path)


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, diary: Diary) -> Planned:
    """Makes pykafarr.scan give a plan in memory, made with these arguments."""

    def make(**fields: Any) -> Plan:
        made = Plan(diary, **fields)

        def scan(*arguments: Any, **options: Any) -> Plan:
            diary.write(asked={name: str(value) for name, value in options.items()})
            return replace(made, asked=options)

        monkeypatch.setattr(pykafarr, "scan", scan, raising=False)
        return made

    return make


@pytest.fixture
def arguments() -> dict[str, Any]:
    """The arguments of a scan, which names its metadata columns."""
    return {"servers": "kafka:9092", "topics": "orders", "registry_url": "http://registry/", "metadata": list(METADATA)}
