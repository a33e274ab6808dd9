from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import api


def test_an_input_without_documents_is_there_too(run_snap: Any) -> None:
    given = {"input0": [{"n": number} for number in range(100)], "input1": []}
    assert run_snap("Gate", {}, given).output == [given]


@pytest.mark.parametrize(
    ("content", "expected"),
    [("count_and_final_document", {"n": 99}), ("count_and_first_document", {"n": 0})],
)
def test_the_output_may_hold_the_count_and_one_document(
    run_snap: Any, content: str, expected: dict[str, Any]
) -> None:
    given = {"a": [{"n": number} for number in range(100)], "b": []}
    assert run_snap("Gate", {"output_content": content}, given).output == [
        {"a": {"count": 100, "document": expected}, "b": {"count": 0, "document": None}}
    ]


@pytest.mark.parametrize(("ignored", "expected"), [(False, [{"a": []}]), (True, [])])
def test_without_any_document_it_passes_on_one_unless_told_to_ignore_that(
    run_snap: Any, ignored: bool, expected: list[Any]
) -> None:
    assert run_snap("Gate", {"ignore_empty_stream": ignored}, {"a": []}).output == expected


def test_links_name_the_fields_and_their_order(tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text("""
snaps:
  orders: {snap: JSONGenerator, documents: [{id: 1}]}
  customers: {snap: JSONGenerator, documents: [{id: 2}]}
  gate: {snap: Gate}
links: [orders -> gate.orders, customers -> gate.customers]
""")
    (document,) = api.run(tmp_path / "gate.yaml").outputs["gate.output"]
    assert list(document.items()) == [("orders", [{"id": 1}]), ("customers", [{"id": 2}])]
