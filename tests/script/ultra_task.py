"""A script as an ultra task of one snap, and how each request that it is given comes out.

Every document that a test's script makes holds, as `for`, the request that it was made for.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import yaml

from engine import api
from engine.documents import NO_LINEAGE, Batch, Document, Item
from engine.registry import discover
from engine.run.execution import Execution
from engine.run.host import StageHost
from engine.run.identity import identify
from engine.run.lineage import Ledger
from engine.run.services import Services
from engine.script.executor import Executor

DROPPED, FAILED = "dropped", "failed"
TOOLS = """\
from snaplogic.tool import SLTool as slt
kept = []
def made(row):
    return {"for": row["id"]}
"""

FOUR_AT_A_TIME = """
def snaplogic_process(row):
    kept.append(row)
    if len(kept) < 4:
        return None
    answers = [made(row) for row in kept]
    kept.clear()
    return answers
"""


class Task:
    """A script as an ultra task of one snap; judges how each request comes out."""

    def __init__(self, source: str, folder: Path, **facts: Any) -> None:
        self.outcomes: dict[int, Any] = {}
        self.errors: dict[int, Document] = {}
        self.shown: list[str] = []
        self.ledger = Ledger(self)
        spec = {"snap": "RemotePythonScript", "source": TOOLS + textwrap.dedent(source), **facts}
        file = folder / "task.yaml"
        file.write_text(yaml.safe_dump({"pipeline": "Task", "snaps": {"one": spec}}))
        plan = api.compile_plan(file)
        self._services = Services(
            plan, Executor(), lambda label, line, request_id="": self.shown.append(line)
        )
        execution = Execution(
            plan, identify(plan, {}), self._services, discover(), ledger=self.ledger
        )
        self._host = StageHost(plan.stages[0], discover(), execution)
        self._host.open()
        self._pass_on(self._host.start())

    def answered(self, request: int, item: list[Item]) -> None:
        assert request not in self.outcomes
        self.outcomes[request] = item[0]

    def filtered(self, request: int) -> None:
        assert request not in self.outcomes
        self.outcomes[request] = DROPPED

    def failed(self, request: int, error: Document) -> None:
        assert request not in self.outcomes
        self.outcomes[request] = FAILED
        self.errors[request] = error

    def give(self, *requests: int) -> None:
        """These requests come in one batch."""
        self.give_rows(*[{"id": request, "text": f"row {request}"} for request in requests])

    def give_each(self, *requests: int) -> None:
        """Each of these requests comes in a batch of its own."""
        for request in requests:
            self.give(request)

    def give_rows(self, *rows: Document) -> None:
        lineage = [frozenset({row["id"]}) if "id" in row else NO_LINEAGE for row in rows]
        self.ledger.admit(row["id"] for row in rows if "id" in row)
        self._pass_on(self._host.process("input", Batch(list(rows), lineage)))

    def give_model(self) -> None:
        """A document that nobody waits for."""
        self._pass_on(self._host.process("input", Batch([{"model": True}])))

    def finish(self) -> None:
        self._pass_on(self._host.finish())

    def close(self) -> None:
        self._host.close()
        self._services.close()

    def _pass_on(self, outputs: Any) -> None:
        for port, batch in outputs:
            assert port.view == "output"
            for position, document in enumerate(batch.items):
                line = batch.lineage_of(position)
                self.ledger.answer(line, [document])
                self.ledger.leave([line])

    @property
    def waiting(self) -> int:
        return len(self.ledger)

    @property
    def answers(self) -> dict[int, Any]:
        """What the answer to each request was made for."""
        return {
            request: outcome["for"] if isinstance(outcome, dict) else outcome
            for request, outcome in self.outcomes.items()
        }


Tasks = Callable[..., Task]


@contextmanager
def tasks(folder: Path) -> Iterator[Tasks]:
    """Makes tasks, and closes them in the end."""
    with ExitStack() as opened:
        yield lambda source, **facts: opened.enter_context(closing(Task(source, folder, **facts)))
