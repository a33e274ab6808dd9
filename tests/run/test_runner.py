"""Complete pipelines: YAML in, documents and a report out."""

from __future__ import annotations

import asyncio
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import ConfigurationError, ExecutionError, SnapFailedError
from engine.run.report import Report


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write_pipeline(text: str) -> Path:
        path = tmp_path / "pipeline.yaml"
        path.write_text(text)
        return path

    return write_pipeline


def counts(report: Report) -> dict[str, tuple[int, int, int, int]]:
    return {
        snap.label: (snap.documents_in, snap.documents_out, snap.dropped, snap.errors)
        for snap in report.snaps
    }


def test_the_report_counts_what_came_in_went_out_was_dropped_and_failed(write: Any) -> None:
    report = api.run(
        write("""
        snaps:
          make: {snap: JSONGenerator, documents: [{a: 1}, {a: 2}, {b: 3}, {a: 4}]}
          keep: {snap: Filter, filter: $a > 1, on_error: discard}
        links: [make -> keep]
        """)
    )
    assert report.status == "completed"
    assert counts(report)["keep"] == (4, 2, 1, 1)
    assert report.outputs == {"keep.output": [{"a": 2}, {"a": 4}]}


def test_documents_keep_their_order(write: Any) -> None:
    documents = [{"n": number} for number in range(1000)]
    report = api.run(
        write("""
        snaps:
          keep: {snap: Filter, filter: $n % 2 == 0}
          double: {snap: Mapper, mappings: {$n: $n * 2}}
        links: [keep -> double]
        """),
        inputs={"keep": documents},
    )
    assert report.outputs["double.output"] == [{"n": number * 2} for number in range(0, 1000, 2)]


def test_several_flows_of_one_file_all_run(write: Any) -> None:
    report = api.run(
        write("""
        snaps:
          a: {snap: JSONGenerator, documents: [{x: 1}]}
          b: {snap: Mapper, mappings: {$y: $x}}
          c: {snap: JSONGenerator, documents: [{x: 2}]}
          d: {snap: Mapper, mappings: {$z: $x}}
        links: [a -> b, c -> d]
        """)
    )
    assert report.outputs == {"b.output": [{"y": 1}], "d.output": [{"z": 2}]}


def test_an_unlinked_document_input_gets_one_empty_document(write: Any) -> None:
    report = api.run(write("snaps: {one: {snap: Mapper, mappings: {$a: 1}}}"))
    assert report.outputs == {"one.output": [{"a": 1}]}


def test_a_document_that_fails_stops_the_pipeline_by_default(write: Any) -> None:
    path = write("""
    snaps:
      make: {snap: JSONGenerator, documents: [{customer: 1}]}
      shape: {snap: Mapper, mappings: {$a: $custmer}}
    links: [make -> shape]
    """)
    with pytest.raises(SnapFailedError) as caught:
        api.run(path)
    text = str(caught.value)
    assert "snap 'shape' (Mapper at" in text
    assert "$customer" in text


def test_a_routed_error_carries_the_document_and_the_reason(write: Any) -> None:
    report = api.run(
        write("""
        snaps:
          make: {snap: JSONGenerator, documents: [{a: 1}, {b: 2}]}
          shape: {snap: Mapper, on_error: route, mappings: {$x: $a}}
          dead: {snap: Mapper, pass_through: true, mappings: {$letter: "'dead'"}}
        links: [make -> shape, shape.error -> dead]
        """)
    )
    assert report.outputs["shape.output"] == [{"x": 1}]
    (error,) = report.outputs["dead.output"]
    assert error["original"] == {"b": 2}
    assert error["snap_details"] == {"label": "shape", "target": "$x", "line": 4}
    assert set(error) == {
        "error",
        "reason",
        "resolution",
        "stacktrace",
        "snap_details",
        "original",
        "letter",
    }
    assert counts(report)["shape"] == (2, 1, 0, 1)


def test_a_link_from_the_error_view_is_enough_to_route(write: Any) -> None:
    report = api.run(
        write("""
        snaps:
          shape: {snap: Mapper, mappings: {$x: $missing}}
          dead: {snap: Union}
        links: [shape.error -> dead]
        """)
    )
    assert len(report.outputs["dead.output"]) == 1


def test_secrets_stay_out_of_error_documents_and_failures(write: Any) -> None:
    path = write("""
    parameters: {token: {required: true, secret: true}}
    snaps:
      make: {snap: Mapper, mappings: {$token: _token}}
      shape: {snap: Mapper, mappings: {$x: $missing}}
      dead: {snap: Union}
    links: [make -> shape, shape.error -> dead]
    """)
    report = api.run(path, parameters={"token": "hunter22"})
    assert "hunter22" not in str(report.outputs)


def test_a_copy_whose_branches_meet_again_gives_every_document_twice(write: Any) -> None:
    documents = [{"n": number} for number in range(5000)]
    report = api.run(
        write("""
        snaps:
          both: {snap: Copy}
          a: {snap: Mapper, mappings: {$a: $n}}
          b: {snap: Mapper, mappings: {$b: $n}}
          meet: {snap: Union}
        links: [both -> a -> meet, both -> b -> meet]
        """),
        inputs={"both": documents},
    )
    out = report.outputs["meet.output"]
    assert [item["a"] for item in out if "a" in item] == list(range(5000))
    assert [item["b"] for item in out if "b" in item] == list(range(5000))


def test_a_diamond_into_a_view_that_is_read_first_does_not_hang(write: Any) -> None:
    script = "def snaplogic_process(row):\n    return {'n': row['n']}\n"
    documents = [{"n": number, "content": script} for number in range(5000)]
    report = api.run(
        write("""
        snaps:
          both: {snap: Copy}
          a: {snap: Filter, filter: $n == 4999}
          run: {snap: RemotePythonScript}
        links: [both -> a -> run.script, both -> run]
        """),
        inputs={"both": documents},
    )
    assert report.outputs["run.output"] == [{"n": number} for number in range(5000)]


def test_a_failure_leaves_the_old_file_intact(write: Any, tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("old")
    documents = [{"n": number} for number in range(500)] + [{}]
    path = write("""
    snaps:
      shape: {snap: Mapper, mappings: {$n: $n}}
      format: {snap: JSONFormatter, json_lines: true}
      write: {snap: FileWriter, file: out.json}
    links: [shape -> format -> write]
    """)
    with pytest.raises(ExecutionError):
        api.run(path, inputs={"shape": documents})
    assert (tmp_path / "out.json").read_text() == "old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out.json", "pipeline.yaml"]


def test_a_plan_that_was_pickled_runs_with_any_parameters(write: Any) -> None:
    path = write("""
    parameters: {n: 12}
    snaps: {one: {snap: Mapper, mappings: {$a: _n + 2}}}
    """)
    plan = api.compile_plan(path)
    assert pickle.loads(pickle.dumps(plan)) == plan
    plan = pickle.loads(pickle.dumps(plan))
    assert api.run(plan).outputs == {"one.output": [{"a": "122"}]}
    assert api.run(plan, parameters={"n": "3"}).outputs == {"one.output": [{"a": "32"}]}


def test_unknown_parameters_and_inputs_are_refused_before_anything_runs(write: Any) -> None:
    path = write("""
    parameters: {epochs: 3}
    snaps: {one: {snap: Mapper, mappings: {$a: _epochs}}}
    """)
    with pytest.raises(ConfigurationError, match="did you mean 'epochs'"):
        api.run(path, parameters={"epoch": "1"})
    with pytest.raises(ConfigurationError, match="not an open input"):
        api.run(path, inputs={"two": [{}]})


def test_libraries_are_reached_by_their_name(write: Any, tmp_path: Path) -> None:
    (tmp_path / "helpers.expr").write_text("{ twice: x => x * 2 }")
    report = api.run(
        write("""
        libraries: {h: helpers.expr}
        snaps: {one: {snap: Mapper, mappings: {$a: lib.h.twice(4)}}}
        """)
    )
    assert report.outputs == {"one.output": [{"a": 8}]}


def test_a_snap_counter_is_seen_by_its_expressions(write: Any) -> None:
    report = api.run(
        write("""
        snaps:
          make: {snap: JSONGenerator, documents: [{a: 1}]}
          one: {snap: Mapper, mappings: {$label: snap.label, $n: snap.in.totalCount}}
        links: [make -> one]
        """)
    )
    assert report.outputs == {"one.output": [{"label": "one", "n": 1}]}


def test_dates_of_expressions_reach_a_script_as_text(write: Any) -> None:
    report = api.run(
        write("""
        snaps:
          make: {snap: Mapper, mappings: {$at: "Date.parse('2020-01-15T10:30:45.678Z')"}}
          echo: {snap: RemotePythonScript, source: "def snaplogic_process(row): return row"}
        links: [make -> echo]
        """)
    )
    assert report.outputs == {"echo.output": [{"at": "2020-01-15T10:30:45.678Z"}]}


def test_crossing_views_that_are_read_first_do_not_wait_for_each_other(write: Any) -> None:
    script = "def snaplogic_process(row):\n    return None\n"
    documents = [{"n": number, "content": script} for number in range(5000)]
    report = api.run(
        write("""
        snaps:
          c1: {snap: Copy}
          c2: {snap: Copy}
          a: {snap: RemotePythonScript}
          b: {snap: RemotePythonScript}
        links:
          - c1.output0 -> a.script
          - c1.output1 -> b.input
          - c2.output0 -> a.input
          - c2.output1 -> b.script
        """),
        inputs={"c1": documents, "c2": documents},
    )
    assert counts(report)["a"] == (10_000, 0, 10_000, 0)


def test_a_long_chain_of_snaps_does_not_recurse_deeply(write: Any) -> None:
    labels = [f"s{number}" for number in range(1500)]
    snaps = "\n".join(
        f"          {label}: {{snap: Mapper, mappings: {{$n: $n + 1}}}}" for label in labels
    )
    path = write(f"        snaps:\n{snaps}\n        links: [{' -> '.join(labels)}]")
    report = api.run(path, inputs={"s0": [{"n": 0}]})
    assert report.outputs == {"s1499.output": [{"n": 1500}]}


def test_secrets_stay_out_of_tracebacks(write: Any) -> None:
    path = write("""
    parameters: {token: {required: true, secret: true}}
    snaps: {one: {snap: Filter, filter: _token}}
    """)
    secret = "secret"[::-1] * 20
    with pytest.raises(ExecutionError) as caught:
        api.run(path, parameters={"token": secret})
    assert secret[:10] not in "".join(traceback.format_exception(caught.value))


def test_inputs_that_are_not_lists_are_refused(write: Any) -> None:
    path = write("snaps: {one: {snap: Mapper, mappings: {$a: 1}}}")
    with pytest.raises(ConfigurationError, match="the input 'one' must be a list of documents"):
        api.run(path, inputs={"one": {"a": 1}})  # type: ignore[dict-item]


def test_a_notebook_awaits_start(write: Any) -> None:
    path = write("snaps: {one: {snap: Mapper, mappings: {$a: 1}}}")

    async def notebook() -> Report:
        with pytest.raises(ConfigurationError, match=r"await api\.start"):
            api.run(path)
        report, failure = await api.start(path)
        assert failure is None
        return report

    assert asyncio.run(notebook()).outputs == {"one.output": [{"a": 1}]}
