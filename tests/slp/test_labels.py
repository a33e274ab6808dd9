"""The label that SnapLogic shows is what error documents and expressions see."""

from __future__ import annotations

from engine.testing import run_pipeline

TEXT = """
snaps:
  rows: {snap: JSONGenerator, documents: {n: 1}}
  call_crm:
    snap: Mapper
    label: CALL CRM
    mappings: {$n: $gone}
  failed: {snap: Mapper, label: Oh no, mappings: {$who: $snap_details.label, $me: snap.label}}
links: [rows -> call_crm, call_crm.error -> failed]
"""


def test_error_documents_and_expressions_see_the_label() -> None:
    run = run_pipeline(TEXT)
    assert run.outputs["failed.output"] == [{"who": "CALL CRM", "me": "Oh+no"}]


def test_the_report_keeps_the_names_of_the_file() -> None:
    assert [snap.label for snap in run_pipeline(TEXT).report.snaps] == [
        "rows",
        "call_crm",
        "failed",
    ]
