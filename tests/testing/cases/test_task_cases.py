"""Cases that host a pipeline as a task: requests in, responses out, without a server."""

from __future__ import annotations

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
