"""`engine run --workers` and `engine plan`: the same results as in one process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.cli.test_display import run_on_terminal

Engine = Callable[..., CompletedProcess[str]]

LINES = """\
pipeline: Lines
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  keep: {snap: Filter, filter: $n % 3 != 0}
  map: {snap: Mapper, mappings: {$n: $n, $text: "'number ' + $n", $half: $n / 2}}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl}
links: [read -> parse -> keep -> map -> format -> write]
"""
ROUTED = """\
pipeline: Routed
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true, on_error: route}
  errors: {snap: Mapper, mappings: {$e: $error}}
  map: {snap: Mapper, mappings: {$n: $n}}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl}
links:
  - read -> parse -> map -> format -> write
  - parse.error -> errors
"""
DOCUMENTS = """\
pipeline: Documents
snaps:
  number: {snap: Sequence, number_of_documents: 3000}
  map: {snap: Mapper, mappings: {$n: $value, $square: $value * $value}}
links: [number -> map]
"""


def report_of(path: Path) -> dict[str, Any]:
    """A report without what differs from run to run."""
    report: dict[str, Any] = json.loads(path.read_text())
    for each in (report, *report["snaps"]):
        del each["seconds"]
    del report["ruuid"]
    return report


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    rows = (json.dumps({"n": n, "rest": "x" * (n % 50)}) + "\n" for n in range(20_000))
    (tmp_path / "in.jsonl").write_text("".join(rows))
    (tmp_path / "lines.yaml").write_text(LINES)
    return tmp_path


def run_both(engine: Engine, folder: Path, name: str, *options: str) -> list[tuple[Any, ...]]:
    """Exit code, output, report and file of a run in one process, and of one with two workers."""
    outcomes = []
    for workers in ("1", "2"):
        report = f"report{workers}.json"
        ran = engine("run", name, "--workers", workers, "--quiet", "--report", report, *options)
        written = folder / "out.jsonl"
        content = written.read_bytes() if written.exists() else None
        written.unlink(missing_ok=True)
        outcomes.append(
            (ran.returncode, ran.stdout, ran.stderr, report_of(folder / report), content)
        )
    return outcomes


def test_lines_of_a_file_come_out_the_same_and_in_order(engine: Engine, lines: Path) -> None:
    alone, spread = run_both(engine, lines, "lines.yaml")
    assert alone == spread
    assert alone[0] == 0
    assert alone[4].count(b"\n") == 13_333


def test_a_line_that_is_not_json_fails_with_its_number(engine: Engine, lines: Path) -> None:
    rows = (lines / "in.jsonl").read_text().splitlines()
    rows[15_000] = '{"n": oops'
    (lines / "in.jsonl").write_text("\n".join(rows))
    alone, spread = run_both(engine, lines, "lines.yaml")
    assert spread[:3] == alone[:3]
    assert spread[0] == 1
    assert "line 15001" in spread[2]
    assert spread[4] is None


def test_mistakes_anywhere_in_a_file_are_reported_with_their_lines(
    engine: Engine, lines: Path
) -> None:
    rows = (lines / "in.jsonl").read_text().splitlines()
    rows[0] = "first"
    rows[7_000] = "7"
    rows[-1] = "last"
    (lines / "in.jsonl").write_text("\n".join(rows))
    (lines / "lines.yaml").write_text(ROUTED)
    alone, spread = run_both(engine, lines, "lines.yaml")
    assert spread == alone
    errors = [json.loads(line).get("e") for line in spread[1].splitlines()]
    assert errors[:3] == [
        "cannot parse line 1 as JSON",
        "line 7001 cannot become a document",
        "cannot parse line 20000 as JSON",
    ]


def test_a_file_without_text_makes_an_empty_file_once(engine: Engine, lines: Path) -> None:
    (lines / "in.jsonl").write_text("")
    alone, spread = run_both(engine, lines, "lines.yaml")
    assert spread == alone


SCRIPT = """\
from snaplogic.tool import SLTool as slt
rows = []


def snaplogic_init():
    return {"begins": True}


def snaplogic_process(row):
    rows.append(slt.idempotency_key())
    return {"n": row["n"], "known": bool(rows[-1])}


def snaplogic_final():
    return {"copy": len(rows), "chunks": len(set(rows))}
"""
SCRIPTED = """\
pipeline: Scripted
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  script: {snap: RemotePythonScript, script: script.py, copies: any}
links: [read -> parse -> script]
"""


def test_a_script_that_says_so_runs_in_copies(engine: Engine, lines: Path) -> None:
    (lines / "script.py").write_text(SCRIPT)
    (lines / "scripted.yaml").write_text(SCRIPTED)
    ran = engine("run", "scripted.yaml", "--workers", "2", "--quiet")
    assert ran.stderr == ""
    first, *rows, one, other = map(json.loads, ran.stdout.splitlines())
    assert first == {"begins": True}
    assert rows == [{"n": n, "known": True} for n in range(20_000)]
    assert one["copy"] + other["copy"] == 20_000
    assert one["chunks"] > 0
    plan = engine("plan", "scripted.yaml", "--workers", "2").stdout
    assert "2 copies  parse → script" in plan
    assert "each copy of script starts and finishes on its own" in plan


def test_a_script_runs_once_unless_it_says_otherwise(engine: Engine, lines: Path) -> None:
    (lines / "script.py").write_text(SCRIPT)
    (lines / "scripted.yaml").write_text(SCRIPTED.replace(", copies: any", ""))
    ran = engine("run", "scripted.yaml", "--workers", "2", "--quiet")
    assert json.loads(ran.stdout.splitlines()[-1]) == {"copy": 20_000, "chunks": 1}
    plan = engine("plan", "scripted.yaml", "--workers", "2").stdout
    assert "once  script\n            may run only once" in plan


ENDING = """\
import os
from engine.sdk import Document, Example, Settings, Snap


class EndingSettings(Settings):
    pass


class Ending(Snap[EndingSettings]):
    \"\"\"Ends its process.\"\"\"

    stateful = False
    plain = True
    examples = (Example("nothing", given=[], expect=[]),)

    def process(self, document: Document) -> Document:
        if document["n"] == 12_345:
            os._exit(7)
        return {**document}
"""


def test_documents_that_end_every_worker_fail_the_run(
    engine: Engine, lines: Path, with_snap: Callable[[str, str], dict[str, str]]
) -> None:
    environment = with_snap("ending", ENDING)
    environment["PYTHONPATH"] += os.pathsep + os.environ.get("PYTHONPATH", "")
    (lines / "lines.yaml").write_text(
        LINES.replace("keep: {snap: Filter, filter: $n % 3 != 0}", "keep: {snap: Ending}")
    )
    ran = engine("run", "lines.yaml", "--workers", "2", "--quiet", env=environment)
    assert ran.returncode == 1
    assert "3 workers in a row were lost over the same documents" in ran.stderr
    assert "exited with code 7" in ran.stderr
    assert not (lines / "out.jsonl").exists()


def test_documents_of_a_source_come_out_in_order(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "documents.yaml").write_text(DOCUMENTS)
    alone, spread = run_both(engine, tmp_path, "documents.yaml")
    assert spread == alone
    assert json.loads(spread[1].splitlines()[2999]) == {"n": 3000, "square": 9_000_000}


def test_a_failing_document_is_named_by_its_number(engine: Engine, tmp_path: Path) -> None:
    failing = DOCUMENTS.replace("$n: $value,", "$n: '$value == 2500 ? $gone.x : 1',")
    (tmp_path / "documents.yaml").write_text(failing)
    alone, spread = run_both(engine, tmp_path, "documents.yaml")
    assert spread[:3] == alone[:3]
    assert "on document 2500" in spread[2]


def test_the_plan_says_what_runs_in_copies_and_why_the_rest_does_not(
    engine: Engine, lines: Path
) -> None:
    shown = engine("plan", "lines.yaml", "--workers", "3").stdout
    assert "3 copies  parse → keep → map → format" in shown
    assert "once  read\n            makes binary streams" in shown


def test_the_plan_is_broken_between_words(lines: Path) -> None:
    _, shown = run_on_terminal(lines, "plan", "lines.yaml", "--workers", "3", width=30)
    rows = shown.replace("\r", "").splitlines()
    assert max(map(len, rows)) <= 30
    place = rows.index("  3 copies  parse → keep → map")
    assert rows[place + 1] == "            → format"


GROUPS = """\
snaps:
  make: {snap: Sequence}
  totals:
    snap: Aggregate
    group_by_fields: [{field: FIELD, output_field: key}]
    aggregate_fields: [{function: count, field: $value, result_field: count}]
links: [make -> totals]
"""


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("$value % 7", "4 copies  totals\n            by $value % 7: each copy gets all documents"),
        ("$uuid", "4 copies  totals\n            by $uuid: each copy gets all documents"),
        ("Math.random() > $value", "once  totals\n            its key may be another one"),
    ],
)
def test_the_plan_says_by_which_key_copies_share_the_documents(
    engine: Engine, tmp_path: Path, field: str, says: str
) -> None:
    (tmp_path / "groups.yaml").write_text(GROUPS.replace("FIELD", field))
    assert says in engine("plan", "groups.yaml", "--workers", "4").stdout


def test_a_pipeline_that_cannot_be_spread_runs_in_one_process(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "sort.yaml").write_text(
        "pipeline: Sorted\n"
        "snaps:\n"
        "  make: {snap: JSONGenerator, documents: [{n: 2}, {n: 1}]}\n"
        "  sort: {snap: Sort, sort_paths: [{path: $n}]}\n"
        "links: [make -> sort]\n"
    )
    ran = engine("run", "sort.yaml", "--workers", "4", "--quiet")
    assert ran.stdout == '{"n":1}\n{"n":2}\n'
    plan = engine("plan", "sort.yaml", "--workers", "4").stdout
    assert "runs on one core" in plan
    assert "once  sort\n            keeps what it has seen of earlier documents" in plan


@pytest.mark.parametrize("given", ["0", "-1", "two", "1000000"])
def test_a_wrong_number_of_workers_is_refused(engine: Engine, given: str) -> None:
    ran = engine("run", "p.yaml", f"--workers={given}")
    assert ran.returncode == 2
    assert f"'{given}' must be 'auto' or a whole number from 1 to 512" in ran.stderr


def test_options_that_follow_single_documents_are_refused(engine: Engine, lines: Path) -> None:
    ran = engine("run", "lines.yaml", "--workers", "2", "--tap", "keep")
    assert ran.returncode == 2
    assert "--tap cannot be used together with --workers" in ran.stderr


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ("map", "'map' must be a snap, and what it needs, such as 'predict=GPU:1,CPU:2'"),
        ("map=GPU", "'map=GPU' must be a snap, and what it needs"),
        ("map=GPU:0", "'map=GPU:0' must be a snap, and what it needs"),
        ("mop=GPU:1", "there is no snap with this label; did you mean 'map'?"),
        ("read=GPU:1", "the snap runs once, in the run itself, and needs nothing of a worker"),
    ],
)
def test_resources_are_of_snaps_that_run_in_copies(
    engine: Engine, lines: Path, resources: str, message: str
) -> None:
    done = engine("plan", "lines.yaml", "--resources", resources)
    assert done.returncode == 2
    assert message in done.stderr


def test_resources_that_contradict_each_other_are_refused(engine: Engine, lines: Path) -> None:
    done = engine("plan", "lines.yaml", "--resources", "map=GPU:1,GPU:2")
    assert "'map=GPU:1,GPU:2' gives two amounts of GPU" in done.stderr
    options = ("--resources", "map=GPU:1", "--resources", "map=CPU:2", "--resources", "map=GPU:2")
    done = engine("plan", "lines.yaml", *options)
    assert done.returncode == 2
    assert "--resources gives 'map' two amounts of GPU: 1 and 2" in done.stderr


@pytest.mark.parametrize("command", ["run", "plan"])
def test_resources_need_a_cluster(engine: Engine, lines: Path, command: str) -> None:
    done = engine(command, "lines.yaml", "--resources", "map=GPU:1")
    assert done.returncode == 2
    assert "--resources is for workers on a cluster; say which with --on" in done.stderr
