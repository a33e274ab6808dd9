"""Cases that host a pipeline as a task: requests in, responses out, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ECHO = """\
parameters: {greeting: {default: hello}}
snaps:
  named: {snap: Filter, filter: $content.name != null, null_safe_access: true}
  greet:
    snap: Mapper
    on_error: stop
    mappings:
      $content.text: _greeting + ' ' + $content.name.trim()
      $['x-task']: $task_name
links: [named -> greet]
"""
REPORT = """\
parameters: {least: "2"}
snaps:
  rows: {snap: JSONGenerator, documents: [{n: 1}, {n: 2}, {n: 3}]}
  some: {snap: Filter, filter: $n >= +_least}
links: [rows -> some]
"""


def case(*exchanges: str, more: str = "", kind: str = "ultra") -> str:
    lines = "".join(f"        - {each}\n" for each in exchanges)
    return (
        f"cases:\n  calls:\n{more}    task:\n      type: {kind}\n      name: echo\n"
        f"      requests:\n{lines}"
    )


@pytest.mark.parametrize(
    "exchange",
    [
        "{request: {json: {name: ' Ann '}}, response: {status: 200, json: {text: hello Ann}}}",
        "{request: {json: {name: Bo}}, response: {headers: {x-task: echo}}}",
        '{request: {json: {name: Bo}}, response: {text: \'{"text":"hello Bo"}\'}}',
        "{request: {json: {}}, response: {status: 204, text: ''}}",
        "{request: {text: '{'}, response: {status: 400}}",
        "{request: {json: {name: 5}}, response: {status: 500}}",
        "{request: {method: PUT, json: {name: Bo}}, response: {json: {text: hello Bo}}}",
    ],
)
def test_an_ultra_task_responds_to_a_request(run_tests: Any, exchange: str) -> None:
    outcome = run_tests(case(exchange), pipeline=ECHO)
    assert outcome.code == 0, outcome.out + outcome.err


@pytest.mark.parametrize(
    ("exchange", "message"),
    [
        (
            "{request: {json: {name: Bo}}, response: {json: {text: hi Bo}}}",
            "response to request 1: the body differs at $.text",
        ),
        (
            "{request: {json: {name: Bo}}, response: {status: 201}}",
            "response to request 1: expected the status 201, got 200",
        ),
        (
            "{request: {json: {name: Bo}}, response: {headers: {x-task: other}}}",
            "response to request 1: expected the header x-task: other",
        ),
        (
            "{request: {json: {name: Bo}}, response: {text: hi}}",
            "response to request 1: the text differs",
        ),
        (
            "{request: {json: {}}, response: {json: {}}}",
            "response to request 1: the body is not JSON",
        ),
    ],
)
def test_a_response_differs(run_tests: Any, exchange: str, message: str) -> None:
    outcome = run_tests(case(exchange), pipeline=ECHO)
    assert message in outcome.out
    assert outcome.code == 1


def test_requests_come_one_after_another_and_documents_are_compared_too(run_tests: Any) -> None:
    cases = (
        case(
            "{request: {json: {name: A}}, response: {json: {text: hey A}}}",
            "{request: {json: {name: B}}, response: {json: {text: hey B}}}",
            more="    parameters: {greeting: hey}\n",
        )
        + "    expect:\n      greet: {count: 2, expressions: [$task_name == 'echo']}\n"
    )
    outcome = run_tests(cases, "--coverage", pipeline=ECHO)
    assert outcome.code == 0, outcome.out
    assert "1/1" in outcome.out


def test_a_mock_answers_each_request(run_tests: Any) -> None:
    exchange = "{request: {json: {name: A}}, response: {json: {text: mocked}}}"
    cases = case(exchange, more="    mocks: {greet: {each: [{content: {text: mocked}}]}}\n")
    outcome = run_tests(cases, pipeline=ECHO)
    assert outcome.code == 0, outcome.out


def test_a_triggered_task_runs_once_for_each_request(run_tests: Any) -> None:
    cases = case(
        "{request: {}, response: {status: 200, json: [{n: 2}, {n: 3}]}}",
        "{request: {query: least=3}, response: {json: [{n: 3}]}}",
        "{request: {query: least=4}, response: {json: []}}",
        "{request: {query: least=x}, response: {json: []}}",
        kind="triggered",
    )
    outcome = run_tests(cases, pipeline=REPORT)
    assert outcome.code == 0, outcome.out


def test_a_triggered_task_answers_an_error(run_tests: Any) -> None:
    text = REPORT.replace("$n >= +_least", "$n.trim() == _least")
    cases = case("{request: {}, response: {status: 500}}", kind="triggered")
    assert run_tests(cases, pipeline=text).code == 0
    required = REPORT.replace('{least: "2"}', "{least: {required: true}}")
    cases = case("{request: {}, response: {status: 400}}", kind="triggered")
    outcome = run_tests(cases, pipeline=required)
    assert outcome.code == 0, outcome.out + outcome.err


def test_a_pipeline_that_cannot_be_hosted_fails_the_case(run_tests: Any) -> None:
    cases = case("{request: {}, response: {status: 200}}")
    out = run_tests(cases, pipeline=REPORT).out
    assert "orders.test.yaml:3:5  the pipeline cannot be hosted as an ultra task" in out


# Task files

TASK = """\
name: greeter
type: ultra
pipeline: ../orders.yaml
parameters: {greeting: hi, token: "${env:TOKEN}"}
filtered_status: 404
input_schema:
  type: object
  required: [name]
  properties: {name: {type: string}}
output_schema:
  type: object
  properties: {text: {type: string, maxLength: 10}}
"""
GREET = ECHO.replace("{greeting", "{token: {default: none}, greeting")


@pytest.fixture
def task_file(tmp_path: Path) -> Path:
    (tmp_path / "tasks").mkdir()
    file = tmp_path / "tasks" / "greet.yaml"
    file.write_text(TASK)
    return file


def case_of_file(*exchanges: str, more: str = "") -> str:
    keys = "      type: ultra\n      name: echo\n"
    return case(*exchanges).replace(keys, f"      file: tasks/greet.yaml\n{more}")


@pytest.mark.usefixtures("task_file")
@pytest.mark.parametrize(
    "exchange",
    [
        "{request: {json: {name: Ann}}, response: {status: 200, json: {text: hi Ann}}}",
        "{request: {json: {name: Ann}}, response: {headers: {x-task: greeter}}}",
        "{request: {json: {}}, response: {status: 400}}",
        "{request: {json: {name: 5}}, response: {status: 400}}",
        "{request: {method: POST}, response: {status: 400}}",
        "{request: {}, response: {status: 405}}",
    ],
)
def test_requests_are_checked_by_the_task_file_as_a_server_does(
    run_tests: Any, exchange: str
) -> None:
    outcome = run_tests(case_of_file(exchange), pipeline=GREET)
    assert outcome.code == 0, outcome.out + outcome.err


def test_requests_of_triggered_tasks_are_checked_too(run_tests: Any, task_file: Path) -> None:
    task_file.write_text(
        "type: triggered\npipeline: ../orders.yaml\nparameters: {least: '3'}\n"
        "input_schema: {type: object, required: [n]}\n"
    )
    pipeline = """\
parameters: {least: "1"}
snaps: {some: {snap: Filter, filter: $n >= +_least}}
"""
    cases = case_of_file(
        "{request: {json: {n: 5}}, response: {status: 200, json: [{n: 5}]}}",
        "{request: {json: {n: 2}}, response: {status: 200, json: []}}",
        "{request: {json: {m: 5}}, response: {status: 400}}",
        "{request: {method: DELETE}, response: {status: 405}}",
    )
    outcome = run_tests(cases, pipeline=pipeline)
    assert outcome.code == 0, outcome.out + outcome.err


@pytest.mark.usefixtures("task_file")
def test_a_response_that_is_not_what_the_task_promises_fails_the_case(run_tests: Any) -> None:
    exchange = "{request: {json: {name: Maximilian}}, response: {status: 200}}"
    outcome = run_tests(case_of_file(exchange), pipeline=GREET)
    assert outcome.code == 1
    assert "the body does not match the output_schema of the task" in outcome.out
    assert "$text: 'hi Maximilian' is too long" in outcome.out


@pytest.mark.usefixtures("task_file")
def test_a_response_that_is_no_json_is_not_what_the_task_promises(run_tests: Any) -> None:
    pipeline = """\
parameters: {greeting: {}, token: {}}
snaps:
  plain:
    snap: Mapper
    mappings:
      $content: "'hi'"
      $['content-type']: "'text/plain'"
"""
    exchange = "{request: {json: {name: Ann}}, response: {status: 200}}"
    outcome = run_tests(case_of_file(exchange), pipeline=pipeline)
    assert outcome.code == 1
    assert "$: it is not JSON" in outcome.out


def test_a_case_overrides_the_parameters_of_the_task_file(run_tests: Any, task_file: Path) -> None:
    exchange = "{request: {json: {name: Ann}}, response: {json: {text: hey Ann}}}"
    cases = case_of_file(exchange).replace(
        "    task:", "    parameters: {greeting: hey}\n    task:"
    )
    assert run_tests(cases, pipeline=GREET).code == 0
    required = GREET.replace("{default: none}", "{required: true}")
    outcome = run_tests(cases, pipeline=required)
    assert "the parameter 'token' is required" in outcome.err  # the environment is left alone


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "type: ultra",
            "type: scheduled\nschedule: {every: 1h}",
            "hint: name the file of an ultra or a triggered task",
        ),
        ("type: ultra", "type: ultra\nresponse: stream", "which a case cannot compare"),
        ("type: ultra", "type: ulra", "tasks/greet.yaml:2:7  wrong-type"),
        ("../orders.yaml", "../other.yaml", "the task hosts another pipeline"),
        ("required: [name]", "required: name", "'input_schema' is not a JSON Schema"),
    ],
)
def test_a_task_file_that_a_case_cannot_host_is_reported(
    run_tests: Any, task_file: Path, old: str, new: str, message: str
) -> None:
    text = TASK.replace(old, new)
    if "scheduled" in new:
        text = text[: text.index("filtered_status")]
    task_file.write_text(text)
    outcome = run_tests(
        case_of_file("{request: {json: {}}, response: {status: 400}}"), pipeline=GREET
    )
    assert outcome.code == 2
    assert message in outcome.err


@pytest.mark.usefixtures("task_file")
def test_what_the_task_file_says_is_not_said_again(run_tests: Any) -> None:
    exchange = "{request: {json: {}}, response: {status: 400}}"
    outcome = run_tests(case_of_file(exchange, more="      name: echo\n"), pipeline=GREET)
    assert "'name' comes from the task file" in outcome.err
    missing = case_of_file(exchange).replace("greet.yaml", "gone.yaml")
    assert "gone.yaml" in run_tests(missing, pipeline=GREET).err


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        (case(), "'requests'"),
        (case("{request: {}, response: {}}"), "the request expects no response"),
        (case("{request: {url: x}, response: {status: 1}}"), "there is no setting 'url'"),
        (case("{request: {}, response: {stats: 1}}"), "did you mean 'status'"),
        (case("{request: {}, response: {status: 1}}", kind="ulra"), "did you mean 'ultra'?"),
        (
            case("{request: {}, response: {status: 1}}", more="    input: []\n"),
            "a case with a task gets its input from the requests",
        ),
    ],
)
def test_a_mistake_in_a_task_is_reported(run_tests: Any, cases: str, message: str) -> None:
    outcome = run_tests(cases, pipeline=ECHO)
    assert message in outcome.err
    assert outcome.code == 2
