"""The error pipeline gets the error documents of all snaps that do not say otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import ConfigurationError, ExecutionError, InvalidPipelineError
from engine.run.report import Report
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra

HANDLER = """
parameters: {from: {}}
snaps:
  short:
    snap: Mapper
    mappings: {$snap: $snap_details.label, $of: $original, $from: _from}
  lines: {snap: JSONFormatter}
  write: {snap: FileWriter, file: errors.json}
links: [short -> lines -> write]
"""
MAIN = """
pipeline: Main
error_pipeline: {pipeline: handler, parameters: {from: = pipe.label}}
snaps:
  half: {snap: Mapper, mappings: {$n: 10 / $n.part}}
  strict: {snap: Mapper, mappings: {$n: $n.whole}, on_error: discard}
links: [half -> strict]
"""


def run(project: Path, given: list[dict[str, Any]], main: str = MAIN, **files: str) -> Report:
    for name, text in {"handler": HANDLER, "main": main, **files}.items():
        (project / f"{name}.yaml").write_text(text)
    return api.run(project / "main.yaml", inputs={"half": given})


def errors_of(project: Path) -> list[Any]:
    return list(json.loads((project / "errors.json").read_text()))


def test_a_failed_document_goes_there_and_the_run_goes_on(tmp_path: Path) -> None:
    main = MAIN.replace("{$n: $n.whole}, on_error: discard", "{$n: $n}")
    given: list[dict[str, Any]] = [{"n": 1}, {"n": {"part": 5}}, {"n": 2}]
    report = run(tmp_path, given, main)
    assert report.outputs == {"strict.output": [{"n": 2}]}
    assert errors_of(tmp_path) == [
        {"snap": "half", "of": {"n": 1}, "from": "Main"},
        {"snap": "half", "of": {"n": 2}, "from": "Main"},
    ]


def test_a_snap_that_says_otherwise_keeps_its_errors(tmp_path: Path) -> None:
    run(tmp_path, [{"n": {"part": 5}}])
    assert errors_of(tmp_path) == []


def test_it_runs_also_if_there_are_no_errors(tmp_path: Path) -> None:
    run(tmp_path, [])
    assert errors_of(tmp_path) == []


def test_many_errors_all_arrive(tmp_path: Path) -> None:
    run(tmp_path, [{"n": n} for n in range(1000)])
    assert [each["of"]["n"] for each in errors_of(tmp_path)] == list(range(1000))


def test_a_failure_of_the_error_pipeline_fails_the_run(tmp_path: Path) -> None:
    handler = "snaps: {bad: {snap: Mapper, mappings: {$x: $nothing.at.all}}}"
    main = MAIN.replace("{pipeline: handler, parameters: {from: = pipe.label}}", "bad")
    with pytest.raises(ExecutionError, match="the error pipeline failed: snap 'bad'"):
        run(tmp_path, [{"n": 1}], main, bad=handler)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("handlr", "there is no pipeline 'handlr'"),
        ("{pipeline: handler, parameters: {form: x}}", "has no parameter 'form'"),
        ("{pipeline: handler, parameter: {from: x}}", "there is no setting 'parameter'"),
        ("{pipeline: = _name}", "does not declare the parameter '_name'"),
        ("[handler]", "'error_pipeline'"),
    ],
)
def test_its_mistakes_are_found_when_the_pipeline_is_checked(
    tmp_path: Path, setting: str, said: str
) -> None:
    main = MAIN.replace("{pipeline: handler, parameters: {from: = pipe.label}}", setting)
    with pytest.raises(InvalidPipelineError, match=said):
        run(tmp_path, [{"n": 1}], main)


def test_a_pipeline_without_an_open_input_cannot_take_errors(tmp_path: Path) -> None:
    handler = "snaps: {make: {snap: FileReader, file: main.yaml}}"
    main = MAIN.replace("{pipeline: handler, parameters: {from: = pipe.label}}", "made")
    with pytest.raises(ConfigurationError, match="needs exactly one open input"):
        run(tmp_path, [{"n": 1}], main, made=handler)


REPLY = """
snaps:
  answer:
    snap: Mapper
    mappings: {$of: $original.request, $snap: $snap_details.label}
"""
SERVICE = "  half: {snap: Mapper, mappings: {$answer: 10 / $request}}"


def test_in_an_ultra_task_its_output_answers_the_request_that_failed(tmp_path: Path) -> None:
    (tmp_path / "reply.yaml").write_text(REPLY)
    broken = "  check: {snap: Mapper, mappings: {$answer: '$request % 2 == 0 ? $gone : $request'}}"
    text = f"{broken}\nerror_pipeline: reply"
    numbers = list(range(1, 41))
    outcomes, failure = run_ultra(tmp_path, text, [], requests(*numbers))
    assert failure is None
    assert outcomes.answers == {
        number: [{"of": number, "snap": "check"}] if number % 2 == 0 else [{"answer": number}]
        for number in numbers
    }


def test_a_request_fails_if_the_error_pipeline_fails_on_it(tmp_path: Path) -> None:
    (tmp_path / "reply.yaml").write_text(REPLY.replace("$original.request", "$original.no.such"))
    text = "  check: {snap: Mapper, mappings: {$answer: $gone}}\nerror_pipeline: reply"
    outcomes, _ = run_ultra(tmp_path, text, [], requests(1))
    assert str(outcomes.answers[1][0]).startswith("failed: the expression")


def test_an_ultra_task_needs_an_answer_from_its_error_pipeline(tmp_path: Path) -> None:
    closed = "snaps: {end: {snap: Filter, filter: 'true', open_output: false}}"
    (tmp_path / "reply.yaml").write_text(closed)
    with pytest.raises(ConfigurationError, match="exactly one open output"):
        run_ultra(tmp_path, f"{SERVICE}\nerror_pipeline: reply", [], requests(1))


def test_requests_through_another_pipeline_get_their_own_answers(tmp_path: Path) -> None:
    (tmp_path / "tenfold.yaml").write_text(
        "snaps: {ten: {snap: Mapper, mappings: {$answer: $request * 10}}}"
    )
    snaps = "  call: {snap: PipelineExecute, pipeline: tenfold, pool_size: 4}"
    outcomes, _ = run_ultra(tmp_path, snaps, [], requests(1, 2, 3, 4, 5), requests(6, 7))
    assert outcomes.answers == {
        number: [{"answer": number * 10, "original": {"request": number}}] for number in range(1, 8)
    }
