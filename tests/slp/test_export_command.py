"""`engine export` writes what imports to the same YAML, and the same file every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from tests.slp.exports import write

EVERYTHING = """\
# Written by hand.
#
# Author: ada@example.org
pipeline: Every snap
description: Uses every snap that was there first.
parameters:
  folder: out
  token: {required: true, description: Lets you in}
libraries:
  money: money.expr
snaps:
  # The first snap.
  #
  # It has a note of several lines.
  people:
    snap: JSONGenerator
    documents:
      - {name: Ada, age: 36, size: 1.70}
      - {name: Tim, age: 9, size: 1.2}
  union:
    snap: Union
  adults:
    snap: Filter
    label: ADULTS!
    filter: $age >= 18
    null_safe_access: true
    on_error: discard
  copy:
    snap: Copy
  shape:
    snap: Mapper
    mappings:
      $name: $name.trim()
      $gross: lib.money.gross($net)
      $label: snap.label + ' 2'
      $constant: 7
    pass_through: true
  tidy:
    snap: Mapper
    mappings:
      - expression: $a
      - {expression: $b, target: $c}
      - {expression: $d, target: $c}
    mapping_root: $orders[*]
  ask:
    snap: RESTGet
    service_url: = 'https://example.org/' + $name
    query_parameters: {page: 1, tag: [new, = $tag]}
    http_headers: {Accept: application/json}
    retry_policy: all
  send:
    snap: RESTPost
    service_url: https://example.org
    http_entity: $order
  change:
    snap: RESTPut
    service_url: https://example.org
  patch:
    snap: RESTPatch
    service_url: https://example.org
  remove:
    snap: RESTDelete
    service_url: https://example.org
    mode: disabled
  failed:
    snap: Mapper
    mappings: {$why: $reason}
  template:
    snap: JSONGenerator
    text: '{"name": $_folder}'
  read:
    snap: FileReader
    file: = _folder + '/in.json'
    retries: 2
    retry_interval: 0.5
  parse:
    snap: JSONParser
    process_array: false
    filter_path: $.results[*]
  score:
    snap: RemotePythonScript
    script: scripts/every/score.py
  encode:
    snap: DocumentToBinary
    codec: encode_base64
  write_files:
    snap: FileWriter
    file: = _folder + '/' + $name
    file_action: append
    create_dir: true
    mode: execute_only
  horn:
    snap: com-snaplogic-snaps-lighthouse-foghorn
    class_version: 3
    settings:
      tone: low
      when: = $fog > 0.5
      rows:
        - {name: a, value: = $b}
    outputs: {output0: document, echo: binary}
  format:
    snap: JSONFormatter
    pretty_print: true
    header: {$type: "'json'"}
  alone:
    snap: Mapper
    mappings: {$x: 1}
links:
  - people -> union -> adults -> copy -> shape -> tidy
  - copy -> ask -> send -> change -> patch -> remove
  - ask.error -> failed
  - template -> union
  - read -> parse -> score -> encode -> write_files
  - horn -> format
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, "every.yaml", EVERYTHING)
    write(tmp_path, "money.expr", "{gross: net => net * 1.2}")
    write(tmp_path, "scripts/every/score.py", "def snaplogic_process(row):\n    return row\n")
    return tmp_path


def exported(project: Path, name: str = "every.slp") -> Any:
    assert main(["export", str(project / "every.yaml"), "-o", str(project / name)]) == 0
    return json.loads((project / name).read_text())


def test_an_export_imports_to_the_same_yaml(project: Path) -> None:
    exported(project)
    again = project / "again"
    assert main(["import", str(project / "every.slp"), "-o", str(again)]) == 0
    assert (again / "every.yaml").read_text() == EVERYTHING
    script = Path("scripts/every/score.py")
    assert (again / script).read_bytes() == (project / script).read_bytes()


ORDERED = """\
pipeline: Ordered
snaps:
  copy:
    snap: Copy
  join:
    snap: Join
    join_paths:
      - {left_path: $id, right_path: $section}
  sections:
    snap: JSONGenerator
    documents:
      - id: 1
  details:
    snap: Mapper
    mappings: {$section: $id}
links:
  - copy -> join.left
  - sections -> copy -> details -> join.right
"""


def test_links_keep_their_order_where_the_drawing_does_not_tell_it(tmp_path: Path) -> None:
    write(tmp_path, "ordered.yaml", ORDERED)
    exported = tmp_path / "ordered.slp"
    assert main(["export", str(tmp_path / "ordered.yaml"), "-o", str(exported)]) == 0
    assert main(["import", str(exported), "-o", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again/ordered.yaml").read_text() == ORDERED


def test_exporting_twice_gives_the_same_file(project: Path) -> None:
    assert exported(project, "one.slp") == exported(project, "two.slp")


def test_snaps_are_drawn_from_left_to_right(project: Path) -> None:
    content = exported(project)
    labels = {
        key: stored["property_map"]["info"]["label"]["value"]
        for key, stored in content["snap_map"].items()
    }
    columns = {
        labels[key]: place["grid_x_int"]
        for key, place in content["render_map"]["detail_map"].items()
    }
    assert columns["People"] < columns["Union"] < columns["ADULTS!"] < columns["Copy"]
    places = [
        (p["grid_x_int"], p["grid_y_int"]) for p in content["render_map"]["detail_map"].values()
    ]
    assert len(set(places)) == len(places)


def test_open_views_are_those_of_the_pipeline(project: Path) -> None:
    properties = exported(project)["property_map"]
    labels = {view["label"]["value"] for view in properties["output"].values()}
    assert {"Tidy - output0", "Failed - output0", "Horn - echo"} <= labels


def test_what_snaplogic_has_no_place_for_is_a_warning(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "    script: scripts/every/score.py\n"
    text = EVERYTHING.replace(script, f"{script}    requirements: [numpy]\n")
    write(project, "every.yaml", text)
    exported(project)
    expected = "score: SnapLogic's Remote Python Script has no setting for 'requirements'"
    assert f"warning: {expected}" in capsys.readouterr().err


def test_a_pipeline_with_mistakes_is_not_exported(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, "every.yaml", EVERYTHING.replace("filter: $age", "filtr: $age"))
    assert main(["export", str(project / "every.yaml"), "-o", str(project / "x.slp")]) == 2
    assert "there is no setting 'filtr'" in capsys.readouterr().err
    assert not (project / "x.slp").exists()


def test_an_existing_file_and_another_ending_are_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, "x.slp", "mine")
    assert main(["export", str(project / "every.yaml"), "-o", str(project / "x.slp")]) == 2
    assert "overwrite them with --force" in capsys.readouterr().err
    assert main(["export", str(project / "every.yaml"), "-o", str(project / "x.txt")]) == 2
    assert "the name of an export ends in .slp, not 'x.txt'" in capsys.readouterr().err
