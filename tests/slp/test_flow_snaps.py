"""Snaps that split, choose, check and count documents, on their way from and to exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.cli import main
from tests.slp.conftest import Import
from tests.slp.exports import export, expression, mapper, snap, value, views, write

TRANSFORM = "com-snaplogic-snaps-transform-"
FLOW = "com-snaplogic-snaps-flow-"


def table(*rows: Any) -> Any:
    return value(list(rows))


def test_stored_settings_become_ours(imported: Import) -> None:
    split = {
        "path": value('jsonPath($, "$orders[*].lines[*]")'),
        "includeParents": value(True),
        "includePaths": table({"includePath": value("$original.sectionId")}),
        "nullSafeAccess": value(True),
        "excludeList": value(False),
    }
    choose = {
        "conditionalTable": table(
            {
                "conditionalExpression": expression("$n == 1"),
                "returnValue": value("Passed"),
                "targetPath": value("$result"),
            }
        ),
        "defaultValueTable": value({"defaultValue": value(None), "defaultValuePath": value(None)}),
    }
    lift = {
        "mappingTable": table(
            {"sourcePath": value("$a"), "expression": value("move"), "targetPath": value("$")}
        ),
        "passThrough": value("None - new map"),
    }
    check = {
        "constraintMappings": table(
            {
                "sourcePath": value('jsonPath($, "a[*].b")[0]'),
                "constraint": value("Required"),
                "constraintValue": value(None),
            },
            {
                "sourcePath": value("$x"),
                "constraint": value("MinLength"),
                "constraintValue": value("5"),
            },
        )
    }
    snaps = {
        "a": snap(TRANSFORM + "jsonsplitter", "Split", split),
        "b": snap(TRANSFORM + "conditional", "Choose", choose),
        "c": snap(TRANSFORM + "structuraltransform", "Lift", lift),
        "d": snap(FLOW + "datavalidator", "Check", check),
        "e": snap(FLOW + "exit", "Stop", {"KeyThresholdLimit": value(1)}, outputs={}),
    }
    text = imported(export(snaps, ["a b", "b c", "c d", "d e"]))
    assert (
        text.partition("snaps:\n")[2]
        == """\
  split:
    snap: JSONSplitter
    json_path: jsonPath($, "$orders[*].lines[*]")
    include_scalar_parents: true
    include_paths: [$original.sectionId]
    null_safe_access: true
  choose:
    snap: Conditional
    conditions:
      - {condition: $n == 1, return_value: "'Passed'", target: $result}
  lift:
    snap: Structure
    mappings:
      - {source: $a, target: $}
  check:
    snap: DataValidator
    constraints:
      - {path: 'jsonPath($, "a[*].b")[0]', constraint: required}
      - {path: $x, constraint: min_length, value: "5"}
  stop:
    snap: Exit
    threshold_limit: 1
links:
  - split -> choose -> lift -> check -> stop
"""
    )


def test_binary_views_become_types_of_views(imported: Import) -> None:
    binary = {"inputs": views("input0", kind="binary"), "outputs": views("output0", kind="binary")}
    snaps = {
        "a": mapper("Name", [("$x", "$name")], **binary),
        "b": snap("com-snaplogic-snaps-binary-trash", "Trash", **{**binary, "outputs": {}}),
    }
    text = imported(export(snaps, ["a b"]))
    assert "input_type: binary\n    output_type: binary\n" in text
    assert "  trash:\n    snap: Trash\n    input_type: binary\n" in text


EVERY = """\
pipeline: Flow
snaps:
  numbers:
    snap: Sequence
    number_of_documents: 100
  some:
    snap: Head
    number_of_documents: 10
    offset: 1
  last:
    snap: Tail
    number_of_documents: 3
  types:
    snap: TypeConverter
    auto: true
    properties:
      - {field: $a, rule: date_time, format: dd/MM/yyyy}
  replay:
    snap: RecordReplay
    document_count: 5
  turn:
    snap: Pivot
    fields:
      - {field: $Q1, if_field_absent: substitute_null}
      - field: $Q2
    target_field: $quarter
    target_value: $revenue
  slow:
    snap: Throttle
    throttle_type: random
    speed: 50
  split:
    snap: JSONSplitter
    json_path: $list
    include_paths: [$a.b]
  choose:
    snap: Conditional
    conditions:
      - {condition: $n == 1, return_value: "'one'", target: $name}
    default_value: "'other'"
    default_target: $name
  move:
    snap: Structure
    mappings:
      - {source: $a, operation: copy, target: $b}
    pass_through: true
  check:
    snap: DataValidator
    constraints:
      - {path: $x, constraint: max_length, value: 5}
  route:
    snap: HTTPRouter
    routes: {GET: read, POST: write}
  equal:
    snap: AssertEquals
    expected:
      - a: 1
  text:
    snap: Constant
    content: = $name
  both:
    snap: BinaryCopy
  name:
    snap: Mapper
    mappings: {$name: $x}
    input_type: binary
    output_type: binary
  sort:
    snap: BinaryRouter
    routes: {small: $size < 10, rest: true}
    first_match: true
  gone:
    snap: Trash
    input_type: binary
links:
  - numbers -> some -> last -> types -> replay -> turn -> slow -> split -> choose -> move -> check
  - check -> route
  - route.read -> equal
  - route.write -> text -> both -> name -> sort
  - sort.small -> gone
"""


def test_an_export_imports_to_the_same_yaml(tmp_path: Path) -> None:
    write(tmp_path, "flow.yaml", EVERY)
    assert main(["export", str(tmp_path / "flow.yaml"), "-o", str(tmp_path / "flow.slp")]) == 0
    assert json.loads((tmp_path / "flow.slp").read_text())["snap_map"]
    again = tmp_path / "again"
    assert main(["import", str(tmp_path / "flow.slp"), "-o", str(again)]) == 0
    assert (again / "flow.yaml").read_text() == EVERY
