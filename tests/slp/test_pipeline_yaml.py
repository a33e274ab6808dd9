"""An exported pipeline becomes the YAML that a person would have written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slp.conftest import Import
from tests.slp.exports import (
    COPY,
    CSV_FORMATTER,
    FILTER,
    FORMATTER,
    GENERATOR,
    PARSER,
    READER,
    SCRIPT,
    UNION,
    WRITER,
    export,
    expression,
    mapper,
    snap,
    value,
    views,
)


def test_a_small_pipeline_reads_as_if_written_by_hand(imported: Import) -> None:
    rows = '[{"name": "Ada", "age": 36}, {"name": "Tim", "age": 9}]'
    text = imported(
        export(
            {
                "g": snap(GENERATOR, "Some People", {"editable_content": value(rows)}, inputs={}),
                "f": snap(
                    FILTER,
                    "Adults only",
                    {"filterExpression": expression("$age >= 18"), "nullSafeAccess": value(False)},
                    notes="Children have a list of their own.",
                ),
                "m": mapper("Greet", [("'Dear ' + $name", "$greeting")]),
                "j": snap(FORMATTER, "JSON", outputs=views("output0", kind="binary")),
                "w": snap(
                    WRITER,
                    "Write letters",
                    {
                        "filename": expression("_folder + '/letters.json'"),
                        "fileAction": value("OVERWRITE"),
                        "createDir": value(True),
                        "retries": {"value": "2", "expression": False},
                    },
                    mode="Execute only",
                ),
            },
            ["g f", "f m", "m j", "j w"],
            label="Letters to adults",
            info={"purpose": value("Writes a letter to each adult.")},
            parameters=[
                {"key": "folder", "value": "out", "description": "Where the letters go"},
                {"key": "token", "value": None, "required": True},
                {"key": None, "value": None},
                {"key": "zip", "value": "01234"},
            ],
        )
    )
    assert (
        text
        == """\
pipeline: Letters to adults
description: Writes a letter to each adult.
parameters:
  folder: {default: out, description: Where the letters go}
  token: {required: true}
  zip: 01234
snaps:
  some_people:
    snap: JSONGenerator
    documents:
      - {name: Ada, age: 36}
      - {name: Tim, age: 9}
  # Children have a list of their own.
  adults_only:
    snap: Filter
    filter: $age >= 18
  greet:
    snap: Mapper
    mappings: {$greeting: "'Dear ' + $name"}
  json:
    snap: JSONFormatter
  write_letters:
    snap: FileWriter
    file: = _folder + '/letters.json'
    create_dir: true
    retries: 2
    mode: execute_only
links:
  - some_people -> adults_only -> greet -> json -> write_letters
"""
    )


def test_rows_of_a_mapper_that_repeat_or_delete_stay_rows(imported: Import) -> None:
    rows = [("$first", None), ("$a", "$x"), ("$b", "$x"), (value(None), value(None))]
    text = imported(export({"m": mapper("Tidy", rows, pass_through=True)}))
    assert (
        """
    mappings:
      - expression: $first
      - {expression: $a, target: $x}
      - {expression: $b, target: $x}
    pass_through: true
"""
        in text
    )


def test_a_literal_in_a_mapper_becomes_a_string_of_the_expression_language(
    imported: Import,
) -> None:
    rows = [(value("it's"), "$a"), (value(7), "$b"), (value(True), "$c"), (value("x"), "$d")]
    text = imported(export({"m": mapper("Constants", rows)}))
    assert (
        """
    mappings:
      $a: '"it''s"'
      $b: 7
      $c: true
      $d: "'x'"
"""
        in text
    )


def test_a_target_that_is_marked_as_an_expression_is_a_path(imported: Import) -> None:
    text = imported(export({"m": mapper("Mark", [("$a", expression("$['a b']"))])}))
    assert "    mappings:\n      $['a b']: $a\n" in text


def test_expressions_that_are_only_a_quoted_text_become_values(imported: Import) -> None:
    reader = snap(READER, "Read", {"filePath": expression('"in.json"')}, inputs={})
    assert "    file: in.json\n" in imported(export({"r": reader}))


def test_a_value_that_begins_with_an_equals_sign_stays_a_value(imported: Import) -> None:
    reader = snap(READER, "Read", {"filePath": value("=odd.json")}, inputs={})
    assert '    file: = "=odd.json"\n' in imported(export({"r": reader}))


@pytest.mark.parametrize("stored", ["\\t", "\t"])
def test_a_tab_between_values_stays_one(imported: Import, stored: str) -> None:
    settings = {"delimiter": value(stored), "quoteCharacter": value(None)}
    formatter = snap(CSV_FORMATTER, "CSV", settings, outputs=views("output0", kind="binary"))
    text = imported(export({"c": formatter}))
    assert "quote_character: ''" in text or 'quote_character: ""' in text
    assert "delimiter:" in text


def test_texts_of_several_lines_become_blocks(imported: Import) -> None:
    rows = [("$items.map(item =>\n  item.price)", "$prices")]
    text = imported(export({"m": mapper("Prices", rows)}))
    assert (
        """
      $prices: |-
        $items.map(item =>
          item.price)
"""
        in text
    )


def test_tips_around_a_template_are_left_out(imported: Import) -> None:
    template = '## Tips for templates\n##\n{"id": $_id}\n\n## The end\n'
    generator = snap(GENERATOR, "One", {"editable_content": value(template)}, inputs={})
    text = imported(export({"g": generator}, parameters=[{"key": "id", "value": "1"}]))
    assert "    text: '{\"id\": $_id}'\n" in text


def test_scripts_are_written_byte_for_byte(imported: Import, tmp_path: Path) -> None:
    source = "def snaplogic_process(row):\r\n\treturn row  # ½\n\n\n"
    imported(export({"s": snap(SCRIPT, "Score it", {"editable_content": value(source)})}))
    script = tmp_path / "project" / "scripts" / "orders" / "score_it.py"
    assert script.read_bytes() == source.encode()
    assert "script: scripts/orders/score_it.py" in (tmp_path / "project/orders.yaml").read_text()


def test_branches_are_chains_of_their_own(imported: Import) -> None:
    text = imported(
        export(
            {
                "a": mapper("Start", [("1", "$n")]),
                "c": snap(COPY, "Copy", outputs=views("output0", "output1")),
                "b1": mapper("Upper", [("$n", "$u")]),
                "b2": mapper("Lower", [("$n", "$l")]),
                "u": snap(UNION, "Union", inputs=views("input0", "input1"), version=2),
                "z": mapper("End", [("$u", "$z")]),
            },
            ["a c", "c b1", "c:output1 b2", "b1 u", "b2 u:input1", "u z"],
        )
    )
    assert (
        """
links:
  - start -> copy -> upper -> union -> end
  - copy -> lower -> union
"""
        in text
    )


def test_routes_are_named_even_the_first(imported: Import) -> None:
    routes = [
        {"expression": expression("$n > 1"), "outputViewName": value("many")},
        {"expression": expression("true"), "outputViewName": value("few")},
    ]
    router = snap(
        "com-snaplogic-snaps-flow-router",
        "Route",
        {"routes": value(routes), "firstMatch": value(True)},
        outputs={
            "output0": {"label": value("many"), "view_type": value("document")},
            "output1": {"label": value("few"), "view_type": value("document")},
        },
        version=2,
    )
    snaps = {"r": router, "a": mapper("A", [("1", "$n")]), "b": mapper("B", [("2", "$n")])}
    text = imported(export(snaps, ["r a", "r:output1 b"]))
    assert "links:\n  - route.many -> a\n  - route.few -> b\n" in text


def test_flows_without_a_link_between_them_are_kept_apart(imported: Import) -> None:
    snaps = {key: mapper(key.upper(), [("1", "$n")]) for key in ("a", "b", "c", "d")}
    assert "links:\n  - a -> b\n  - c -> d\n" in imported(export(snaps, ["a b", "c d"]))


def test_labels_that_repeat_are_numbered(imported: Import) -> None:
    snaps = {key: mapper("Map it", [("1", "$n")]) for key in ("a", "b", "c")}
    text = imported(export(snaps, ["a b", "b c"]))
    assert "- map_it -> map_it_2 -> map_it_3" in text
    assert "label:" not in text


def test_a_label_that_no_name_can_hold_is_kept(imported: Import) -> None:
    text = imported(export({"a": mapper("変換", [("1", "$n")]), "b": mapper("50 % off!", [])}))
    assert "  mapper:\n    snap: Mapper\n    label: 変換\n" in text
    assert "  mapper_50_off:\n    snap: Mapper\n    label: 50 % off!\n" in text


def test_labels_are_kept_where_data_shows_them(imported: Import) -> None:
    rows = [("$snap_details.label == 'CALL it'", "$is_ours")]
    text = imported(export({"a": mapper("CALL it", rows)}))
    assert "  call_it:\n    snap: Mapper\n    label: CALL it\n" in text


def test_notes_and_author_become_comments(imported: Import) -> None:
    text = imported(
        export(
            {"a": mapper("Map", [("1", "$n")])},
            info={"notes": value("First line.\nSecond line."), "author": value("ada@example.com")},
        )
    )
    assert text.startswith("# First line.\n# Second line.\n# Author: ada@example.com\npipeline:")


@pytest.mark.parametrize(
    ("behaviour", "written"),
    [("fail", ""), ("ignore", "    on_error: discard\n"), ("continue", "    on_error: route\n")],
)
def test_error_behaviours_become_on_error(imported: Import, behaviour: str, written: str) -> None:
    text = imported(export({"a": mapper("Map", [("1", "$n")], on_error=behaviour)}))
    assert text.endswith(f"mappings: {{$n: 1}}\n{written}")


def test_a_linked_error_view_routes_without_saying_so(imported: Import) -> None:
    snaps = {
        "a": mapper("Map", [("1", "$n")], on_error="continue"),
        "b": mapper("Failed", [("$reason", "$why")]),
    }
    text = imported(export(snaps, ["a:error0 b"]))
    assert "  - map.error -> failed\n" in text
    assert "on_error" not in text


def test_an_error_view_that_gets_nothing_is_not_linked(
    imported: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    snaps = {"a": mapper("Map", [("1", "$n")]), "b": mapper("Failed", [("1", "$why")])}
    assert "error" not in imported(export(snaps, ["a:error0 b"]))
    assert "a link of 'Map' was left out: its error view gets nothing" in capsys.readouterr().out


def test_a_parser_that_a_caller_feeds_has_an_open_input(imported: Import) -> None:
    parser = snap(PARSER, "Parse", inputs=views("input0", kind="binary"))
    text = imported(export({"p": parser, "m": mapper("Map", [("$n", "$n")])}, ["p m"]))
    assert "  parse:\n    snap: JSONParser\n    open_input: true\n" in text


def test_mistakes_in_expressions_make_a_pipeline_lenient(
    imported: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("$n == null ? 0 : $n.length()", "$size")]
    text = imported(export({"m": mapper("Measure", rows)}))
    assert "\nlenient: true\nsnaps:\n" in text
    assert "warning: line 6:44: there is no method `length`" in capsys.readouterr().out


def test_parameters_lose_the_mark_of_expressions(
    imported: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [{"key": "_limit", "value": "5"}, {"key": "my-name", "value": "x"}]
    text = imported(export({"m": mapper("Map", [("_limit", "$n")])}, parameters=given))
    assert "parameters:\n  limit: 5\n  my_name: x\n" in text
    assert "the parameter '_limit' is called 'limit' here" in capsys.readouterr().out


def test_disabled_snaps_stay_disabled(imported: Import) -> None:
    text = imported(export({"a": mapper("Map", [("1", "$n")], mode="Disabled")}))
    assert "    mode: disabled\n" in text


def test_libraries_and_parameters_are_declared(imported: Import, tmp_path: Path) -> None:
    text = imported(
        export(
            {"a": mapper("Map", [("lib.money.gross($n)", "$n")])},
            imports=[{"path": "../shared/money.expr", "as": None}, {"path": "n.expr", "as": "x"}],
        )
    )
    assert "libraries:\n  money: ../shared/money.expr\n  x: n.expr\n" in text


def test_numbers_in_texts_and_texts_in_numbers_are_converted(imported: Import) -> None:
    reader = snap(
        READER,
        "Read",
        {"filePath": value(2024), "retries": value("3"), "retryInterval": value("0.5")},
        inputs={},
        outputs=views("output0", kind="binary"),
    )
    parser = snap(PARSER, "Parse", {"arrayElementsAsDocuments": value("false")})
    text = imported(export({"r": reader, "p": parser}, ["r p"]))
    assert '    file: "2024"\n    retries: 3\n    retry_interval: 0.5\n' in text
    assert "    process_array: false\n" in text
