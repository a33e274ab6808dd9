"""What a preview shows: documents in tables and trees, errors, absence, and no secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

Preview = Callable[..., Any]
Page = Callable[..., str]


def _make(documents: str) -> str:
    return f"snaps:\n  make: {{snap: JSONGenerator, text: '{documents}'}}\n"


def test_flat_documents_are_a_table_with_dotted_headings(page: Page) -> None:
    shown = page(_make('[{"id": 9, "at": {"city": "Bern", "no": "3"}}, {"id": 10.00, "x": null}]'))
    assert shown.splitlines()[-3:] == [
        "        id  at.city  at.no     x",
        '  1      9  Bern     "3"',
        "  2  10.00                  null",
    ]


def test_documents_with_lists_of_objects_are_trees(page: Page) -> None:
    shown = page(_make('[{"id": 1, "rows": [{"a": 1, "b": [1, 2]}, {"a": 2}], "none": []}]'))
    assert shown.splitlines()[-9:] == [
        "  1",
        "    id: 1",
        "    rows:",
        "      - a: 1",
        "        b:",
        "          - 1",
        "          - 2",
        "      - a: 2",
        "    none: []",
    ]


def test_a_narrow_terminal_gets_shorter_cells_and_then_trees(page: Page) -> None:
    fields = ", ".join(f'"field{n}": "value {n} is long"' for n in range(1, 4))
    assert "1  value 1 i…  value 2 i…" in page(_make(f"[{{{fields}}}]"), columns=40)
    assert "    field1: value 1 is long" in page(_make(f"[{{{fields}}}]"), columns=30)


def test_columns_whose_names_would_look_the_same_become_trees(page: Page) -> None:
    customer = '{"forename": "Ada Augusta", "surname": "Lovelace King", "town": "London, N"}'
    document = f'[{{"customer": {customer}}}]'
    assert "customer.forename" in page(_make(document), columns=80)
    shown = page(_make(document), columns=40)
    assert "      surname: Lovelace King" in shown.splitlines()


def test_in_a_narrow_terminal_counts_are_not_torn_from_what_they_count(page: Page) -> None:
    page(_make('[{"a": 1}]'), columns=40)
    title = page(_make('[{"a": 1}]'), columns=30).splitlines()[:2]
    assert [each.strip() for each in title] == ["make  JSONGenerator  1 in ·", "1 out · as before"]
    assert title[1].startswith("  ")


@pytest.mark.parametrize("columns", [40, 80])
def test_no_line_is_wider_than_the_terminal(columns: int, page: Page) -> None:
    wide, long = "数" * 21, "x" * 90
    shown = page(_make(f'[{{"a": "{wide}", "b": "{long}", "c": [1, "z"]}}]'), columns=columns)
    assert max(map(cell_len, shown.splitlines())) <= columns
    assert "…" in shown


def test_more_documents_than_shown_are_counted(page: Page) -> None:
    documents = "[" + ", ".join(f'{{"n": {n}}}' for n in range(5)) + "]"
    assert "… 3 more of 5" in page(_make(documents), "--show", "2")


def test_control_characters_do_not_reach_the_terminal(page: Page) -> None:
    shown = page("snaps:\n  make: {snap: JSONGenerator, documents: [{'a\\e': \"x\\e[31m\"}]}\n")
    assert "\x1b" not in shown


def test_absence_is_shown(page: Page) -> None:
    shown = page("""
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}, {n: 2}]}
  none: {snap: Filter, filter: $n > 5}
  after: {snap: Mapper, mappings: {$n: $n}}
links: [make -> none -> after]
""")
    assert "dropped by: $n > 5\n  → after: 0 of 2 reached here" in shown
    assert "after  Mapper  nothing in or out\n  nothing reached here" in shown


def test_errors_are_shown_in_place_and_the_preview_goes_on(page: Page, preview: Preview) -> None:
    pipeline = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}, {m: 2}, {n: 3}]}
  map: {snap: Mapper, mappings: {$n: $n}}
links: [make -> map]
"""
    shown = page(pipeline)
    assert "1 ✗ the expression" in shown
    assert "reason: `$n` is not in the document" in shown
    assert "✗ a run stops at the first error here" in shown
    found = preview(pipeline)
    assert found.code == 1
    assert found.items["map.output"] == [{"n": 1}, {"n": 3}]
    assert found.items["map.error"][0]["original"] == {"m": 2}


@pytest.mark.parametrize("setting", ["discard", "route"])
def test_errors_that_do_not_stop_a_run_are_no_failure(setting: str, preview: Preview) -> None:
    shown = preview(f"""
snaps:
  make: {{snap: JSONGenerator, documents: [{{m: 2}}]}}
  map: {{snap: Mapper, mappings: {{$n: $n}}, on_error: {setting}}}
links: [make -> map]
""")
    assert shown.code == 0
    assert len(shown.items["map.error"]) == 1


def test_a_failure_of_a_snap_is_shown_with_it(preview: Preview) -> None:
    shown = preview("snaps:\n  read: {snap: FileReader, file: = 'gone' + '.csv'}\n")
    assert shown.code == 1
    assert shown.items["read.error"][0]["error"].startswith("cannot read")


def test_mistakes_in_the_pipeline_are_reported_as_by_validate(preview: Preview) -> None:
    shown = preview("snaps:\n  keep: {snap: Filter, fliter: $n > 1}\n")
    assert shown.code == 2
    assert "p.yaml:3:" in shown.err


def test_secrets_are_masked_everywhere(preview: Preview, page: Page) -> None:
    pipeline = """
parameters:
  token: {required: true, secret: true}
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  map: {snap: Mapper, mappings: {$a: _token, $b: "'x' + _token", $c: $nope}, on_error: discard}
  more: {snap: Mapper, mappings: {$a: _token}}
  text: {snap: JSONFormatter}
  write: {snap: FileWriter, file: "= _token + '.json'"}
links: [make -> more -> text -> write]
"""
    given = ("--param", "token=hunter2-hunter2")
    shown = preview(pipeline.replace("make -> more", "make -> map -> more"), *given)
    assert "hunter2" not in shown.out + shown.err
    assert shown.items["map.error"]
    shown = preview(pipeline, *given)
    assert "hunter2" not in shown.out + shown.err
    assert shown.items["more.output"] == [{"a": "***"}]
    assert "to '***.json'" in shown.counts["write"]["note"]
    assert "hunter2" not in page(pipeline, *given)


def test_numbers_dates_and_the_order_of_fields_are_kept(preview: Preview) -> None:
    shown = preview("""
snaps:
  make: {snap: JSONGenerator, text: '[{"z": 9007199254740993, "a": 10.00, "m": 1e-7}]'}
  map: {snap: Mapper, pass_through: true, mappings: {$d: "Date.parse('2026-11-29')"}}
links: [make -> map]
""")
    assert '"document":{"z":9007199254740993,"a":10.00,"m":1E-7,"d":' in shown.out


def test_a_parser_shows_all_fields_although_few_are_used(preview: Preview) -> None:
    Path("a.jsonl").write_text('{"a": 1, "b": {"c": 2}}\n')
    shown = preview("""
snaps:
  read: {snap: FileReader, file: a.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  map: {snap: Mapper, mappings: {$a: $a}}
links: [read -> parse -> map]
""")
    assert shown.items["parse.output"] == [{"a": 1, "b": {"c": 2}}]


def test_a_binary_stream_shows_its_first_bytes(page: Page) -> None:
    Path("a.bin").write_bytes(bytes(range(200, 250)))
    shown = page("snaps:\n  read: {snap: FileReader, file: a.bin}\n")
    assert "binary stream, 50 bytes read" in shown
    assert "c8 c9 ca cb" in shown
    assert "\n    …\n" not in shown
    Path("a.bin").write_bytes(bytes(range(200, 250)) * 2)
    assert page("snaps:\n  read: {snap: FileReader, file: a.bin}\n").rstrip().endswith("…")


def test_a_text_of_many_lines_shows_that_there_are_more(page: Page) -> None:
    Path("a.txt").write_text("one\ntwo\nthree\nfour\nfive\n")
    shown = page("snaps:\n  read: {snap: FileReader, file: a.txt}\n")
    assert shown.endswith("five\n")
    Path("a.txt").write_text("one\ntwo\nthree\nfour\nfive\nsix\n")
    assert "five\n    …\n" in page("snaps:\n  read: {snap: FileReader, file: a.txt}\n")


def test_a_number_that_a_run_could_not_write_fails_the_preview(
    preview: Preview, page: Page
) -> None:
    snaps = _make('[{"a": "x"}]') + "  shape: {snap: Mapper, mappings: {$b: parseFloat($a)}}\n"
    pipeline = f"{snaps}links: [make -> shape]"
    shown = preview(pipeline)
    assert shown.code == 1
    assert "the open output 'shape.output' received a document that cannot be" in shown.err
    assert "$.b is NaN" in shown.counts["shape"]["failure"]
    assert "\n  1  NaN\n" in page(pipeline)


def test_a_secret_that_the_shown_part_of_a_stream_cuts_is_masked(
    preview: Preview, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text("x" * 493 + "open-sesame")
    shown = preview(
        "parameters: {token: {secret: true, default: open-sesame}}\n"
        "snaps: {read: {snap: FileReader, file: in.txt}}"
    )
    assert shown.items["read.output"][0]["text"] == "x" * 493 + "***"


def test_a_tree_of_many_fields_or_levels_is_cut(page: Page) -> None:
    fields = ", ".join(f'"f{n}": {n}' for n in range(100))
    shown = page(_make(f"[{{{fields}}}]")).splitlines()
    assert "    f59: 59" in shown
    assert shown[-1] == "    … 40 more lines"
    deep = '{"n":' * 200 + "1" + "}" * 200
    assert max(map(cell_len, page(_make(f'[{{"a": [{deep}]}}]')).splitlines())) <= 80


def test_lists_nested_by_the_hundred_are_shown(preview: Preview) -> None:
    deep = "[" * 600 + "1" + "]" * 600
    shown = preview(_make(f'[{{"a": {deep}}}]'))
    assert shown.code == 0
    assert shown.items["make.output"] == [{"a": json.loads(deep)}]
