"""Mistakes that people make every day in settings and links: what the report proposes."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import discover

TWO_SNAPS = """
snaps:
  rows: {snap: JSONGenerator, documents: [{a: 1}]}
  it: {snap: SETTINGS}
links: [rows -> it]
"""


def reported(text: str, tmp_path: Path) -> dict[str, str]:
    """The hints by message."""
    problems = check_spec(parse(text, str(tmp_path / "p.yaml")), discover())
    return {problem.message: problem.hint for problem in problems}


PROPOSALS = [
    # A word of the name, or its beginning, is enough.
    ("Sort, sort_paths: [$a], sort_order: desc", "did you mean 'descending'?"),
    ("RESTGet, url: 'http://x/'", "did you mean 'service_url'?"),
    ("CSVParser, header: false", "did you mean 'contains_header'?"),
    (
        "Conditional, conditions: [{condition: 'true', value: '1', target: $b}]",
        "did you mean 'return_value'?",
    ),
    # The only missing setting is likely to be the one that is meant.
    ("DirectoryBrowser, folder: x, filter: y", "did you mean 'directory'?"),
    ("Filter, onerror: stop", "did you mean 'on_error'?"),
    ("GroupByFields, key: [$a]", "rename it if you mean 'fields', which is missing"),
    # A list, a map, and the name of an account.
    ("Sort, sort_paths: $a", "write a list: [$a]"),
    ("GroupByFields, fields: $a", "write a list: [$a]"),
    ("Pivot, fields: a, target_field: b, target_value: c", "fields: [{field: $Q1}, {field: $Q2}]"),
    ("SQLSelect, table_name: t, account: {dialect: sqlite}", "to accounts/NAME.yaml, and only"),
    ("Unique, fields: [$a]", "it has no settings"),
    ("HTTPClient, service_url: 'http://x', wait: 3", "'engine snaps HTTPClient' explains its"),
]


@pytest.mark.parametrize(("settings", "proposal"), PROPOSALS, ids=[each[0] for each in PROPOSALS])
def test_a_mistake_in_a_setting_gets_a_proposal(
    settings: str, proposal: str, tmp_path: Path
) -> None:
    hints = reported(TWO_SNAPS.replace("SETTINGS", settings), tmp_path).values()
    assert any(proposal in hint for hint in hints), list(hints)


def test_a_secret_in_an_inline_account_is_not_in_the_message(tmp_path: Path) -> None:
    settings = "SQLSelect, table_name: t, account: {password: hush-hush}"
    messages = reported(TWO_SNAPS.replace("SETTINGS", settings), tmp_path)
    assert "'account': expected the name of an account, got a map" in messages
    assert "hush" not in str(messages)


FILES = [
    ("{snap: FileReader, file: in/customers.CSV}", "such as CSVParser"),
    ("{snap: FileReader, file: \"= 'in/' + _day + '.json'\"}", "such as JSONParser"),
    ("{snap: FileReader, file: data}", "such as AvroParser or CSVParser or ExcelParser or Fixed"),
]


@pytest.mark.parametrize(("reader", "proposal"), FILES, ids=["csv", "json", "unknown"])
def test_the_parser_for_the_kind_of_file_is_proposed(
    reader: str, proposal: str, tmp_path: Path
) -> None:
    text = (
        "parameters: {day: '1'}\n"
        f"snaps: {{read: {reader}, map: {{snap: Mapper}}}}\nlinks: [read -> map]"
    )
    message = "'read.output' produces a binary stream, but 'map.input' takes documents"
    assert proposal in reported(text, tmp_path)[message]


def test_the_formatter_for_the_kind_of_file_is_proposed(tmp_path: Path) -> None:
    text = """
snaps: {map: {snap: Mapper}, write: {snap: FileWriter, file: out.parquet}}
links: [map -> write]
"""
    hints = reported(text, tmp_path).values()
    assert "put a formatter between them, such as ParquetFormatter" in hints


def test_a_union_or_copy_is_proposed_for_two_links_on_one_view(tmp_path: Path) -> None:
    text = """
snaps:
  a: {snap: JSONGenerator, documents: [{}]}
  b: {snap: JSONGenerator, documents: [{}]}
  c: {snap: Mapper}
  d: {snap: Mapper}
links: [a -> c, b -> c, b -> d]
"""
    assert set(reported(text, tmp_path).values()) >= {
        "put Union in front of it to take several inputs",
        "put Copy after it to get several outputs",
    }


AVRO = [
    ("{type: record, name: r, fields: [{name: n, type: integer}]}", "write int, or long for"),
    ("{type: record, name: r, fields: [{name: n, type: list}]}", "write array, with the type of"),
    ("{type: record, name: r, fields: [{name: n, typ: int}]}", "write type instead of typ"),
    ("{type: record, name: r, fields: [{name: n, type: array, items: int}]}", "write type: {type:"),
    ("{type: record, name: r, fields: [{name: n, type: {type: array}}]}", "add items: ..."),
    ("{type: record, name: r, fields: [{name: n, type: [null, int]}]}", "write the type in quotes"),
    ("{type: record, fields: []}", "add name: ..."),
    ("{type: record, name: r, fields: {n: int}}", "for example: fields: [{name: id, type: long}]"),
    ("{type: record, name: r, fields: [int]}", "for example: {name: id, type: long}"),
]


@pytest.mark.parametrize(("schema", "proposal"), AVRO, ids=[each[1] for each in AVRO])
def test_an_avro_schema_is_checked_before_anything_runs(
    schema: str, proposal: str, tmp_path: Path
) -> None:
    text = TWO_SNAPS.replace("SETTINGS", f"AvroFormatter, schema: {schema}")
    [hint] = reported(text, tmp_path).values()
    assert proposal in hint


def test_a_named_avro_type_can_be_used_again(tmp_path: Path) -> None:
    text = TWO_SNAPS.replace(
        "SETTINGS",
        "AvroFormatter, schema: {type: record, name: x.node, fields: ["
        "{name: size, type: {type: enum, name: size, symbols: [S, L]}}, {name: other, type: size},"
        "{name: next, type: ['null', x.node]}]}",
    )
    assert reported(text, tmp_path) == {}


def test_a_mistake_in_a_json_schema_is_reported_at_its_place(tmp_path: Path) -> None:
    text = TWO_SNAPS.replace(
        "SETTINGS", "DataValidator, schema: {properties: {id: {type: objekt}}}"
    )
    [problem] = check_spec(parse(text, str(tmp_path / "p.yaml")), discover())
    assert problem.message.startswith("schema is not a JSON Schema: 'objekt'")
    assert problem.hint.startswith("the types are: string, number")
    assert (problem.where.line, problem.where.column) == (4, 62)


@pytest.mark.parametrize("snap", ["BinaryRouter, routes: {a: 'true'}", "BinaryCopy"])
def test_a_snap_for_streams_must_have_a_link(snap: str, tmp_path: Path) -> None:
    text = f"snaps: {{it: {{snap: {snap}}}, out: {{snap: JSONParser}}}}\nlinks: [it -> out]"
    assert any("needs a link to its input view" in each for each in reported(text, tmp_path))


def test_a_comparison_that_goes_nowhere_is_a_warning(tmp_path: Path) -> None:
    text = """
snaps:
  a: {snap: JSONGenerator, documents: [{id: 1}]}
  b: {snap: JSONGenerator, documents: [{id: 1}]}
  diff: {snap: Diff, sort_paths: [$id]}
links: [a -> diff.new, b -> diff.original]
"""
    [(message, hint)] = reported(text, tmp_path).items()
    assert message == "no output of 'diff' (Diff) is linked, so what it finds is discarded"
    assert hint.startswith("link one of: 'diff.deletions', 'diff.insertions', ")
    assert (
        reported(
            text.replace("links: [", "links: [diff.modified -> c, ").replace(
                "  diff:", "  c: {snap: Trash}\n  diff:"
            ),
            tmp_path,
        )
        == {}
    )
