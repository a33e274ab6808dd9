"""In an ultra task every document carries the requests that it came from through every snap."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.documents import Batch, Document, Item, Lineage, StreamEnd, StreamStart
from engine.registry import discover
from engine.run.execution import Execution
from engine.run.host import StageHost
from engine.run.identity import identify
from engine.run.lineage import Ledger
from engine.run.services import Services
from engine.script.executor import Executor

ROWS = [{"n": 1, "file": "a.txt"}, {"n": 2, "file": "b.txt"}, {"n": 3, "file": "a.txt"}]
STREAMS = [
    piece
    for row in ROWS
    for piece in (StreamStart(row), f'[{{"n": {row["n"]}}}]'.encode(), StreamEnd())
]
COMPRESSED = [gzip.compress(p) if isinstance(p, bytes) else p for p in STREAMS]
SCRIPT = """\
def snaplogic_init(): return None
def snaplogic_process(row): return [row] * row["n"]
def snaplogic_final(): return None
"""
HOOK = """\
class Hook:
    def execute(self):
        for doc in input:
            for each in range(doc["n"] - 1):
                output.write(doc, {"each": each})
hook = Hook()
"""
CASES = [
    ("Filter", {"filter": "$n != 2"}, ROWS, [1, 3]),
    ("Mapper", {"mappings": {"$m": "$n"}}, ROWS, [1, 2, 3]),
    ("Mapper", {"mappings": {"$m": "$n / ($n == 2 ? $gone : 1)"}}, ROWS, [1, 3]),
    ("JSONGenerator", {"documents": [{}, {}]}, ROWS, [1, 1, 2, 2, 3, 3]),
    ("FileReader", {"file": "= $file"}, ROWS, [1, 1, 1, 2, 2, 2, 3, 3, 3]),
    ("JSONFormatter", {"format_each_document": True}, ROWS, [1, 1, 1, 2, 2, 2, 3, 3, 3]),
    ("JSONParser", {}, STREAMS, [1, 2, 3]),
    ("JSONParser", {"json_lines": True, "non_standard_json": False}, STREAMS, []),
    ("FileWriter", {"file": "= $file"}, STREAMS, [1, 2, 3]),
    ("Script", {"source": HOOK}, ROWS, [2, 3, 3]),
    ("Compress", {}, STREAMS, [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]),
    ("Decompress", {}, COMPRESSED, [1, 1, 1, 2, 2, 2, 3, 3, 3]),
    ("DirectoryBrowser", {"directory": ".", "filter": "= $file"}, ROWS, [1, 2, 3]),
    ("FileDelete", {"file": "= $file", "delete_action": "ignore"}, ROWS, [1, 2, 3]),
    ("FilePoller", {"directory": ".", "filter": "= $file"}, ROWS, [1, 2, 3]),
    ("RemotePythonScript", {"source": SCRIPT}, ROWS, [1, 2, 2, 3, 3, 3]),
]


class Nobody:
    """A judge of requests that have not been admitted."""

    def answered(self, request: int, item: list[Item]) -> None: ...
    def filtered(self, request: int) -> None: ...
    def failed(self, request: int, error: Document) -> None: ...


def lineage_of(item: Any, given: list[Any]) -> Lineage:
    """Row and stream number 1, 2, 3 come from request 1, 2, 3."""
    position = next(index for index, other in enumerate(given) if other is item)
    return frozenset({position // (len(given) // 3) + 1})


@pytest.mark.parametrize(
    ("snap", "settings", "given", "expected"),
    [pytest.param(*case, id=f"{case[0]} {case[1]}"[:60]) for case in CASES],
)
def test_documents_keep_the_lineage_of_what_they_were_made_from(
    snap: str, settings: dict[str, Any], given: list[Any], expected: list[int], tmp_path: Path
) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("x")
    batches = run_with_lineage(snap, settings, given, tmp_path)
    assert all(batch.lineage is not None for batch in batches)
    found = [lines for batch in batches for lines in batch.lineage or []]
    assert found == [frozenset({number}) for number in expected]
    assert all(len(batch.lineage or []) == len(batch.items) for batch in batches)


def run_with_lineage(
    snap: str, settings: dict[str, Any], given: list[Any], folder: Path
) -> list[Batch]:
    """The batches that leave the default output."""
    import yaml

    file = folder / "pipeline.yaml"
    spec = {"snap": snap, "on_error": "discard", **settings}
    is_binary = not isinstance(given[0], dict)
    snaps = {"one": spec}
    links = []
    if is_binary:
        snaps = {"source": {"snap": "FileReader", "file": "a.txt"}, **snaps}
        links = ["source -> one"]
    file.write_text(yaml.safe_dump({"pipeline": "Test", "snaps": snaps, "links": links}))
    plan = api.compile_plan(file)
    stage = next(stage for stage in plan.stages if stage.labels[-1] == "one")
    services = Services(plan, Executor(), lambda label, text, request_id="": None)
    identity = identify(plan, {})
    execution = Execution(plan, identity, services, discover(), ledger=Ledger(Nobody()))
    host = StageHost(stage, discover(), execution)
    lineage = [lineage_of(item, given) for item in given]
    try:
        host.open()
        outputs = [*host.start(), *host.process("input", Batch(given, lineage)), *host.finish()]
    finally:
        host.close()
        services.close()
    return [batch for port, batch in outputs if port.view == "output"]
