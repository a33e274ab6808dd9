"""Every mistake in a test file is reported at its place, as in a pipeline file."""

from __future__ import annotations

from typing import Any

import pytest

CASE = """\
cases:
  first:
    files: {orders.json: "[]"}
    expect: {output: []}
"""


def with_line(line: str) -> str:
    return CASE + f"    {line}\n"


MISTAKES = [
    ("", "the file contains no cases"),
    ("[1]\n", "a test file must be a map, not a list"),
    ("cases: {}\n", "1:1  missing-setting  the file has no cases"),
    ("case:\n  a: {}\n", "did you mean 'cases'?"),
    ("cases:\n  a: 5\n", "expected a map of settings, got '5'"),
    ("cases:\n  first: {}\n", "2:3  missing-setting  the case 'first' expects nothing"),
    ("cases:\n  first: {expect: {}}\n", "the case 'first' expects nothing"),
    ("cases:\n  first: {expects: {output: []}}\n", "did you mean 'expect'"),
    (CASE + CASE.removeprefix("cases:\n"), "duplicate-key"),
    (with_line("parameter: {least: 1}"), "5:5  unknown-setting  there is no setting 'parameter'"),
    (with_line("parameters: {lest: 1}"), "5:18  unknown-parameter  the pipeline has no parameter"),
    (with_line("parameters: {least: [1]}"), "the parameter 'least' must be a string, not a list"),
    (with_line("now: yesterday"), "5:10  bad-setting  'yesterday' is not a date and time"),
    (with_line("timezone: Europe/Pari"), "there is no time zone `Europe/Pari`"),
    (with_line("random_seed: many"), "5:18  wrong-type  'random_seed': expected a whole number"),
    (with_line("input: [{n: 1}]"), "5:5  unknown-view  the pipeline has no open input"),
    (with_line("mocks: {prase: []}"), "5:13  unknown-label  the pipeline has no snap labelled"),
    (with_line("mocks: {prase: []}"), "hint: did you mean 'parse'?"),
    (with_line("mocks: {parse: {outptu: []}}"), "'parse' has no output view 'outptu'"),
    (with_line("mocks: {parse: 7}"), "'parse' must be documents, not '7'"),
    (with_line("mocks: {parse: [7]}"), "5:21  wrong-type  a document must be a map, not '7'"),
    (
        with_line("mocks: {read: [{n: 1}]}"),
        "the view carries binary streams, and '{\"n\":1}' is not",
    ),
    (
        with_line("mocks: {parse: {file: no.json}}"),
        "5:27  missing-file  there is no file 'no.json'",
    ),
    (with_line("mocks: {parse: {fails: x, each: [{n: 1}]}}"), "has several keys: fails, each"),
    (with_line("mocks: {parse: {http: [{request: {}}]}}"), "the setting 'url' is missing"),
    ("cases:\n  a:\n", "orders.test.yaml:2:3  missing-setting  the case 'a' expects nothing"),
    (with_line("mocks: {read.error: []}"), "write the view below the snap: read: {error: [...]}"),
    (with_line("allow: [read.output]"), "did you mean 'read'?"),
    (with_line("allow: [raed]"), "5:13  unknown-label  the pipeline has no snap labelled 'raed'"),
    (CASE.replace("output:", "shap.output:"), "4:14  unknown-label"),
    (CASE.replace("output:", "shape.outptu:"), "did you mean 'output'?"),
    (CASE.replace("output:", "shape.error:"), "no error document leaves 'shape'"),
    (CASE.replace("output: []", "big: {}"), "the expectation 'big' says nothing"),
    (CASE.replace("output: []", "big: 3"), "'big' must be documents, not '3'"),
    (CASE.replace("output: []", "big: {cuont: 3}"), "did you mean 'count' or 'contains'?"),
    (CASE.replace("output: []", "big: {count: -1}"), "'count' must not be negative"),
    (CASE.replace("output: []", "big: {expressions: [$a +]}"), "expression-syntax"),
    (CASE.replace("output: []", "big: {count: 0, ignore: ['$a[']}"), "expression-syntax"),
    (
        CASE.replace("output: []", "big: {snapshot: ../x.json}"),
        "the snapshot '../x.json' is outside the folder of the test file",
    ),
    (CASE.replace("output: []", "big: {snapshot: /x.json}"), "'/x.json' is outside the folder"),
    (
        CASE.replace("output: []", "big: {snapshot: orders.yaml}"),
        "the name of its file must end in .json, not 'orders.yaml'",
    ),
    (CASE.replace("output: []", "failure: ''"), "'failure' is empty"),
    (CASE.replace("output: []", "failure: 3"), "'failure' must be a string, not '3'"),
    (CASE.replace("output: []", "diagnostics: cycle"), "'diagnostics' must be a list of codes"),
    (CASE.replace('"[]"', "{text: a, json: b}"), "'orders.json' must be the content of a file"),
    (CASE.replace('"[]"', '{base64: "*"}'), "'base64' is not valid Base64"),
    ("pipeline: ordrs.yaml\n" + CASE, "there is no pipeline file 'ordrs.yaml'; did you mean"),
]


@pytest.mark.parametrize(("cases", "message"), MISTAKES)
def test_a_mistake_is_reported(run_tests: Any, cases: str, message: str) -> None:
    outcome = run_tests(cases or "# nothing\n")
    assert message in outcome.err
    assert "orders.test.yaml:" in outcome.err
    assert outcome.code == 2


def test_all_mistakes_are_reported_at_once_and_no_case_runs(run_tests: Any) -> None:
    outcome = run_tests(with_line("allow: [raed]\n    mocks: {prase: []}"))
    assert outcome.err.count("unknown-label") == 2
    assert outcome.out.startswith("0 passed, 2 mistakes in test files")


def test_mistakes_in_values_do_not_hide_those_in_labels(run_tests: Any) -> None:
    outcome = run_tests(with_line("allow: [raed]\n    random_seed: x\n    mocks: {prase: []}"))
    places = [line.split()[:2] for line in outcome.err.splitlines() if ".yaml:" in line]
    assert places == [
        ["orders.test.yaml:5:13", "unknown-label"],
        ["orders.test.yaml:6:18", "wrong-type"],
        ["orders.test.yaml:7:13", "unknown-label"],
    ]


def test_the_line_of_the_file_is_shown_with_a_caret(run_tests: Any) -> None:
    lines = run_tests(with_line("allow: [raed]")).err.splitlines()
    assert lines[1:3] == ["  5 |     allow: [raed]", "    |             ^^^^"]


def test_the_only_open_input_or_output_must_be_unique(run_tests: Any) -> None:
    text = "snaps:\n  a: {snap: Head}\n  b: {snap: Tail}\n"
    cases = "cases:\n  first:\n    input: [{n: 1}]\n    expect: {output: []}\n"
    outcome = run_tests(cases, pipeline=text)
    assert "the pipeline has several open inputs: a.input, b.input" in outcome.err
    assert "the pipeline has several open outputs: a.output, b.output" in outcome.err


def test_a_required_parameter_must_be_given(run_tests: Any) -> None:
    text = """\
parameters: {least: {required: true}}
snaps:
  a: {snap: Mapper, mappings: {$a: _least}}
"""
    cases = "cases:\n  first:\n    expect: {output: [{a: '007'}]}\n"
    assert "the parameter 'least' is required" in run_tests(cases, pipeline=text).err
    given = cases.replace("first:\n", "first:\n    parameters: {least: 007}\n")
    assert run_tests(given, pipeline=text).code == 0
