"""Mistakes that only a run shows: what the message proposes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import ConfigurationError, ExecutionError
from engine.sdk import HttpResponse, StreamEnd, StreamStart
from engine.testing import CannedHttp, run_pipeline, run_snap


def failure(snap: str, settings: dict[str, Any], given: Any) -> str:
    with pytest.raises(ExecutionError) as error:
        run_snap(snap, settings, given)
    return str(error.value)


def test_a_single_element_without_a_list_is_explained() -> None:
    message = failure("JSONSplitter", {"json_path": "$items.item"}, [{"items": {"item": {"a": 1}}}])
    assert "make one with a Mapper in front: sl.ensureArray($items.item)" in message


def test_a_missing_list_leads_to_null_safe_access() -> None:
    message = failure("JSONSplitter", {"json_path": "$items"}, [{"items": None}])
    assert "set null_safe_access to drop documents without the list" in message


def test_a_path_through_a_list_needs_a_star() -> None:
    message = failure("JSONSplitter", {"json_path": "$a.b"}, [{"a": [{"b": []}]}])
    assert "to take it from all elements, write [*] before .b" in message


def test_a_splitter_that_finds_nothing_says_what_the_root_is() -> None:
    run = run_snap("XMLParser", {"splitter": "/b"}, b"<a><b/></a>")
    assert run.output == []
    assert run.shown == [
        "no element is at '/b'; the root element is 'a', so a path begins with /a/"
    ]


def test_a_splitter_that_finds_something_shows_nothing() -> None:
    assert run_snap("XMLParser", {"splitter": "/a/b"}, b"<a><b/></a>").shown == []


JOINED = {"join_paths": [{"left_path": "$id", "right_path": "$id"}], "join_type": "left_outer"}


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ("1", 1, "strings such as \"1\", in 'input1' numbers such as 1"),
        (True, 1, "booleans such as true, in 'input1' numbers such as 1"),
    ],
)
def test_keys_of_different_types_are_named(left: Any, right: Any, said: str) -> None:
    given = {"input0": [{"id": left}] * 3, "input1": [{"id": right}]}
    [line] = run_snap("Join", JOINED, given).shown
    assert line.startswith(
        f"keys of different types never match: in the left input they are {said}"
    )


@pytest.mark.parametrize(("left", "right"), [(1, 1.5), ("a", "b"), (None, 1), ("1", None)])
def test_keys_that_may_match_are_not_mentioned(left: Any, right: Any) -> None:
    given = {"input0": [{"id": left}], "input1": [{"id": right}]}
    assert run_snap("Join", JOINED, given).shown == []


def test_a_doubtful_name_also_gets_the_way_to_read_a_missing_field() -> None:
    settings = {"mappings": {"$x": "$amount"}}
    message = failure("Mapper", settings, [{"country": "NO"}])
    assert "did you mean `$country`?" in message
    assert "write $.get('amount')" in message


def test_a_misspelling_gets_the_name_alone() -> None:
    message = failure("Mapper", {"mappings": {"$x": "$contry"}}, [{"country": "NO"}])
    assert "did you mean `$country`?" in message
    assert "$.get(" not in message


DATES = [
    ("DD/MM/YYYY", "`D` is the day of the year; write `d`"),
    ("%d/%m/%Y", "patterns are written as in Java: dd/MM/yyyy"),
    ("dd/mm/yyyy", "`m` is the minute; write `M`"),
]


@pytest.mark.parametrize(("pattern", "hint"), DATES)
def test_letters_of_a_date_pattern_that_mean_something_else(pattern: str, hint: str) -> None:
    mapping = f"Date.parse($day, '{pattern}')"
    message = failure("Mapper", {"mappings": {"$x": mapping}}, [{"day": "31.12.2025"}])
    assert hint in message


def test_a_pattern_with_the_usual_letters_gets_no_such_hint() -> None:
    mapping = "Date.parse($day, 'dd/MM/yyyy mm')"
    message = failure("Mapper", {"mappings": {"$x": mapping}}, [{"day": "x"}])
    assert "write `" not in message


def test_an_attribute_of_xml_is_written_in_brackets() -> None:
    with pytest.raises(ConfigurationError, match=re.escape("as `$['@no']`")):
        run_snap("Mapper", {"mappings": {"$x": "$@no"}}, [{}])


def test_a_database_file_in_a_missing_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "accounts").mkdir()
    file = tmp_path / "accounts/db.yaml"
    file.write_text("account: sql\ndialect: sqlite\ndatabase: nowhere/x.db\n")
    settings = {"account": "db", "table_name": "t"}
    with pytest.raises(ExecutionError) as error:
        run_snap("SQLSelect", settings, [{}], project=tmp_path)
    assert re.search(r"the SQLite file '.*nowhere/x.db' cannot be opened", str(error.value))
    assert "its folder does not exist" in str(error.value)


CONDITIONS = [
    ("where id = 1", "'where_clause' begins with WHERE, which the snap adds itself"),
    ("name = '$name'", "leave out the quotes: $name"),
]


@pytest.mark.parametrize(("condition", "said"), CONDITIONS)
def test_a_condition_is_checked_as_far_as_it_is_text(
    condition: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts/db.yaml").write_text("account: sql\ndialect: sqlite\ndatabase: x.db\n")
    settings = f'account: db, table_name: t, where_clause: "{condition}"'
    (tmp_path / "p.yaml").write_text(f"snaps: {{it: {{snap: SQLSelect, {settings}}}}}")
    assert said in "\n".join(map(str, api.check(tmp_path / "p.yaml")))


def test_very_little_memory_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("snaps: {it: {snap: Sort, sort_paths: [$a], memory: 16}}")
    assert "add the unit: '16 MiB'" in "\n".join(map(str, api.check(tmp_path / "p.yaml")))


def test_bytes_alone_are_a_stream() -> None:
    pieces: list[Any] = [StreamStart(), b"a,b\n1,2\n", StreamEnd()]
    assert run_snap("CSVParser", {}, b"a,b\n1,2\n").output == [{"a": "1", "b": "2"}]
    assert run_snap("CSVParser", {}, {"input": pieces}).output == [{"a": "1", "b": "2"}]


def test_headers_of_a_canned_response_may_be_a_map() -> None:
    response = HttpResponse(200, headers={"content-type": "application/json"}, body=b"[1]")  # type: ignore[arg-type]
    http = CannedHttp({"GET http://x/": response})
    run = run_snap("RESTGet", {"service_url": "http://x/"}, [{}], http=http)
    assert run.output[0]["entity"] == [1]


def test_a_mock_that_is_a_document_is_refused() -> None:
    text = "snaps:\n  a: {snap: Mapper, mappings: {$a: '1'}}\n"
    with pytest.raises(ConfigurationError, match="put a single document in a list"):
        run_pipeline(text, mocks={"a": {"id": 1}})  # type: ignore[dict-item]


def test_the_content_of_a_file_is_text_or_bytes() -> None:
    text = "snaps:\n  a: {snap: FileReader, file: x.json}\n"
    with pytest.raises(ConfigurationError, match="must be given as text or bytes, not dict"):
        run_pipeline(text, files={"x.json": {"a": 1}})  # type: ignore[dict-item]
