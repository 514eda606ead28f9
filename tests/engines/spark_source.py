"""A Spark source over a plan in memory. In a module of its own, as Spark's Python processes import it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pykafarr
from pykafarr._engines import common
from pykafarr._options.secrets import plain
from pykafarr.spark import KafarrDataSource
from tests.engines.fake import Diary, Plan
from tests.engines.orders import Dying


class FakeDataSource(KafarrDataSource):
    """Its servers are the arguments of the plan, as JSON."""

    @classmethod
    def name(cls) -> str:
        return "fake"

    @staticmethod
    def _scan(servers: Any, topics: Any, registry_url: Any, **options: Any) -> common.Scan:
        arguments = plain(json.loads(servers) if isinstance(servers, str) else servers)
        made = Plan(Diary(Path(arguments.pop("folder"))), **arguments)

        def scan(*_: Any, **options: Any) -> Plan:
            made.diary.write(asked={name: str(value) for name, value in options.items()})
            return made

        common.scans.scan = scan  # type: ignore[assignment]  # in a process that does nothing else
        return common.scan(None, topics, registry_url, **options)  # type: ignore[arg-type]


class DyingDataSource(KafarrDataSource):
    """Its tasks kill the first process that reads one. The option schema is of no use to them: what exists then."""

    @classmethod
    def name(cls) -> str:
        return "dying"

    @staticmethod
    def _scan(schema: str = "", **options: Any) -> common.Scan:
        scan = common.scan(**options)
        tasks = pykafarr.Plan.tasks

        def dying(plan: pykafarr.Plan, **most: Any) -> Any:
            return [Dying(task, Path(schema)) for task in tasks(plan, **most)]

        pykafarr.Plan.tasks = dying  # type: ignore[method-assign]  # in a process that does nothing else
        return scan
