"""What a case gives to its pipeline: inputs, files, mocks, time and random numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROWS = "snaps:\n  rows: {snap: Mapper, pass_through: true, mappings: {$n: $n}}\n"
REST = """\
snaps:
  call:
    snap: RESTPost
    service_url: https://example.org/items
    on_error: route
  shape:
    snap: Mapper
    mappings: {$id: $response.entity.id, $status: $response.statusLine.statusCode}
links: [call -> shape]
"""


def case(body: str) -> str:
    return "cases:\n  first:\n" + "".join(f"    {line}\n" for line in body.splitlines())


@pytest.mark.parametrize(
    "given",
    [
        "[{n: '1'}]",
        "{rows: [{n: '1'}]}",
        "{rows.input: [{n: '1'}]}",
        '{csv: "n\\n1\\n"}',
        '{rows: {csv: "n\\n1\\n"}}',
        "{file: given.json}",
        "{file: given.csv}",
        "{file: given.jsonl}",
    ],
)
def test_an_open_input_gets_documents(run_tests: Any, tmp_path: Path, given: str) -> None:
    (tmp_path / "given.json").write_text('[{"n": "1"}]')
    (tmp_path / "given.jsonl").write_text('{"n": "1"}\n')
    (tmp_path / "given.csv").write_text("n\n1\n")
    cases = case(f"input: {given}\nexpect: {{output: [{{n: '1'}}]}}")
    outcome = run_tests(cases, pipeline=ROWS)
    assert outcome.code == 0, outcome.err


def test_a_file_that_is_not_json_is_a_mistake(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "given.json").write_text("{]")
    outcome = run_tests(case("input: {file: given.json}\nexpect: {output: []}"), pipeline=ROWS)
    assert "orders.test.yaml:3:19  wrong-type  cannot read 'given.json'" in outcome.err


def test_a_row_of_csv_with_too_many_fields_is_a_mistake(run_tests: Any) -> None:
    cases = case('input: {csv: "n,m\\n1\\n1,2,3\\n"}\nexpect: {output: []}')
    outcome = run_tests(cases, pipeline=ROWS)
    assert "row 2 of the CSV has more fields than its header" in outcome.err


def test_a_binary_input_gets_text(run_tests: Any) -> None:
    text = "snaps:\n  parse: {snap: CSVParser, open_input: true}\n"
    for given in ('["n\\n1\\n"]', '[{content: "n\\n1\\n", header: {a: b}}]', '{csv: "n\\n1\\n"}'):
        cases = case(f"input: {given}\nexpect: {{output: [{{n: '1'}}]}}")
        assert run_tests(cases, pipeline=text).code == 0


def test_the_clock_stands_still_and_random_numbers_repeat(run_tests: Any) -> None:
    text = """\
snaps:
  a:
    snap: Mapper
    mappings:
      $a: Date.now()
      $b: pipe.startTime
      $c: LocalDate.now().toString()
      $r: Math.random()
"""
    cases = case(
        "now: 2026-01-31T23:30:00Z\ntimezone: Europe/Berlin\nrandom_seed: 5\n"
        "expect:\n  output: {snapshot: seen.json}"
    )
    assert run_tests(cases, "--update", pipeline=text).code == 0
    seen = Path("seen.json").read_text()
    assert '"a": "2026-01-31T23:30:00.000Z"' in seen
    assert '"b": "2026-01-31T23:30:00.000Z"' in seen
    assert '"c": "2026-02-01"' in seen
    assert run_tests(cases, pipeline=text).code == 0
    assert run_tests(cases.replace("random_seed: 5", "random_seed: 6"), pipeline=text).code == 1


def test_random_numbers_of_a_library_repeat_too(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "dice.expr").write_text("{roll: () => Math.random()}")
    text = """\
libraries: {dice: dice.expr}
snaps:
  a: {snap: Mapper, mappings: {$n: lib.dice.roll()}}
"""
    cases = case("random_seed: 5\nexpect:\n  output: {snapshot: seen.json}")
    assert run_tests(cases, "--update", pipeline=text).code == 0
    assert run_tests(cases, pipeline=text).code == 0


def test_files_are_given_as_text_json_base64_or_a_real_file(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text('[{"id": 1, "amount": 10}]')
    for content in (
        '\'[{"id": 1, "amount": 10}]\'',
        "[{id: 1, amount: 10}]",
        "{json: [{id: 1, amount: 10}]}",
        '{text: \'{"id": 1, "amount": 10}\'}',
        "{base64: eyJpZCI6IDEsICJhbW91bnQiOiAxMH0=}",
        "{file: real.json}",
    ):
        cases = case(
            f"files: {{orders.json: {content}}}\nexpect: {{output: [{{id: 1, amount: 10}}]}}"
        )
        outcome = run_tests(cases)
        assert outcome.code == 0, outcome.out + outcome.err


def test_a_mock_puts_out_documents_instead_of_the_snap(run_tests: Any) -> None:
    cases = case(
        "mocks: {read: [], parse: [{id: 1, amount: 10}]}\n"
        "expect: {output: [{id: 1, amount: 10}], parse: {count: 0}}"
    )
    outcome = run_tests(cases)
    assert outcome.code == 0, outcome.out


def test_a_mock_answers_each_document(run_tests: Any) -> None:
    text = ROWS + "  ask: {snap: Mapper, mappings: {$n: $n}}\nlinks: [rows -> ask]\n"
    cases = case(
        "input: [{n: 1}, {n: 2}, {n: 3}]\n"
        "mocks: {ask: {each: [{a: 1}, {a: 2}]}}\n"
        "expect: {output: [{a: 1}, {a: 2}, {a: 2}], ask: [{n: 1}, {n: 2}, {n: 3}]}"
    )
    outcome = run_tests(cases, pipeline=text)
    assert outcome.code == 0, outcome.out + outcome.err


def test_a_mock_puts_out_error_documents(run_tests: Any) -> None:
    text = ROWS + "  bad: {snap: Mapper, mappings: {$e: $error}}\nlinks: [rows.error -> bad]\n"
    cases = case("mocks: {rows: {output: [], error: [{error: x}]}}\nexpect: {bad.output: [{e: x}]}")
    outcome = run_tests(cases, pipeline=text)
    assert outcome.code == 0, outcome.out


def test_a_mock_fails_the_run(run_tests: Any) -> None:
    cases = case(
        "mocks: {parse: {fails: the disk is full}}\nexpect: {failure: the disk is full}\n"
        "files: {orders.json: '[]'}"
    )
    outcome = run_tests(cases)
    assert outcome.code == 0, outcome.out


def test_recorded_exchanges_answer_the_requests_of_a_snap(run_tests: Any) -> None:
    cases = case(
        "input: [{n: 1}, {n: 2}]\n"
        "mocks:\n"
        "  call:\n"
        "    http:\n"
        "      - request: {method: POST, url: 'https://example.org/items', json: {n: 1}}\n"
        "        response: {status: 201, json: {id: a}}\n"
        "      - request: {method: POST, url: 'https://example.org/items', json: {n: 2}}\n"
        "        response: {json: {id: b}}\n"
        "expect: {output: [{id: a, status: 201}, {id: b, status: 200}]}"
    )
    outcome = run_tests(cases, pipeline=REST)
    assert outcome.code == 0, outcome.out


def test_a_request_without_an_exchange_fails_the_case(run_tests: Any) -> None:
    cases = case(
        "input: [{n: 1}]\n"
        "mocks: {call: {http: [{request: {method: POST, url: 'https://example.org/items',"
        " json: {n: 2}}, response: {}}]}}\n"
        "expect: {output: []}"
    )
    out = run_tests(cases, pipeline=REST).out
    assert "the snap 'call' sends POST 'https://example.org/items', which no exchange" in out
    assert "the body differs from that of the exchange; it is '{\"n\":1}'" in out
