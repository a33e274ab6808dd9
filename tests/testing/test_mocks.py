"""Any snap of a pipeline can be replaced by what a test says it puts out."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ConfigurationError, ExecutionError, SnapFailedError
from engine.sdk import Document, StreamEnd, StreamStart
from engine.testing import run_pipeline

IMPORTED = """
snaps:
  accounts:
    snap: com-snaplogic-snaps-salesforce-read
    settings: {ObjectName: Account}
  shape: {snap: Mapper, mappings: {$id: $Id}}
links: [accounts -> shape]
"""


def test_a_list_is_what_the_snap_puts_out() -> None:
    assert run_pipeline(IMPORTED, mocks={"accounts": [{"Id": 1}, {"Id": 2}]}).output == [
        {"id": 1},
        {"id": 2},
    ]


def test_without_a_mock_an_unsupported_snap_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="salesforce-read' is not supported here"):
        run_pipeline(IMPORTED)


def test_a_function_gets_each_document() -> None:
    def doubled(document: Document) -> Any:
        return [document, document] if document["n"] > 1 else None

    text = """
snaps:
  rows: {snap: JSONGenerator, documents: [{n: 1}, {n: 2}]}
  twice: {snap: com-snaplogic-snaps-lighthouse-foghorn}
links: [rows -> twice]
"""
    run = run_pipeline(text, mocks={"twice": doubled})
    assert run.output == [{"n": 2}, {"n": 2}]


def test_each_view_may_have_items_of_its_own() -> None:
    text = """
snaps:
  calls: {snap: com-snaplogic-snaps-lighthouse-foghorn, outputs: {near: document, far: document}}
  near: {snap: Mapper, mappings: {$near: $n}}
  far: {snap: Mapper, mappings: {$far: $n}}
links: [calls -> near, calls.far -> far]
"""
    run = run_pipeline(text, mocks={"calls": {"near": [{"n": 1}], "far": [{"n": 2}, {"n": 3}]}})
    assert run.outputs == {"near.output": [{"near": 1}], "far.output": [{"far": 2}, {"far": 3}]}


def test_binary_streams_can_be_put_out_too() -> None:
    text = """
snaps:
  download: {snap: com-snaplogic-snaps-lighthouse-beam, outputs: {output0: binary}}
  parse: {snap: JSONParser}
links: [download -> parse]
"""
    run = run_pipeline(text, mocks={"download": [StreamStart(), b'{"a": 1}', StreamEnd()]})
    assert run.output == [{"a": 1}]


def test_a_snap_that_is_supported_can_be_mocked_as_well() -> None:
    text = """
snaps:
  ask: {snap: RESTGet, service_url: "https://example.org"}
  shape: {snap: Mapper, mappings: {$id: $entity.id}}
links: [ask -> shape]
"""
    assert run_pipeline(text, mocks={"ask": [{"entity": {"id": 4}}]}).output == [{"id": 4}]


def test_a_mock_for_no_snap_is_named() -> None:
    with pytest.raises(ConfigurationError, match="no snap 'acounts' to mock; the snaps are: acc"):
        run_pipeline(IMPORTED, mocks={"acounts": []})


ROUTED = """
snaps:
  rows: {snap: JSONGenerator, documents: [{n: 1}]}
  bad: {snap: Mapper, mappings: {$why: $reason}}
links: [rows.error -> bad]
"""


def test_error_documents_can_be_put_out_too() -> None:
    run = run_pipeline(ROUTED, mocks={"rows": {"output": [], "error": [{"reason": "x"}]}})
    assert run.output == [{"why": "x"}]
    assert run.report.snaps[0].errors == 1


def test_a_mock_can_fail() -> None:
    with pytest.raises(SnapFailedError, match="the disk is full"):
        run_pipeline(ROUTED, mocks={"rows": ExecutionError("the disk is full")})


def test_a_mock_keeps_the_names_of_the_views_of_a_supported_snap() -> None:
    text = """
snaps:
  rows: {snap: JSONGenerator, documents: [{n: 1}]}
  split: {snap: Copy}
  one: {snap: Head}
  two: {snap: Head}
links: [rows -> split, split -> one, split -> two]
"""
    run = run_pipeline(text, mocks={"split": {"output1": [{"n": 2}]}})
    assert run.outputs == {"two.output": [{"n": 2}]}
    assert [str(link.source) for link in run.report.links[1:]] == ["split.output0", "split.output1"]
