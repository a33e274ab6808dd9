"""Copies of a keyed snap on workers that are lost: a copy collects again, or the run fails."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from engine.cluster import chunks, keyed_copy, keyed_stage, remote_stage
from tests.cluster.thread_workers import Once, Place, outcome, run


@pytest.mark.parametrize("seed", range(8))
def test_a_lost_copy_of_a_keyed_snap_collects_again_or_fails_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(chunks, "MOST_DOCUMENTS", 100)
    monkeypatch.setattr(remote_stage, "MOST_ATTEMPTS", 50)
    monkeypatch.setattr(keyed_copy, "PAGE", 30)
    alone, _ = run(project / "keyed.yaml")
    place = Place(Random(seed), 0.03, shares_files=True, starts=10_000)
    spread, failure = run(project / "keyed.yaml", place, 3)
    assert place.started > 3
    if failure:
        assert "had collected is lost with it" in failure
    else:
        assert outcome(spread) == outcome(alone)


@pytest.mark.parametrize("message", [3, 5, 8, 11, 14, 20, 30, 45])
def test_a_lost_copy_gets_its_documents_again(project: Path, message: int) -> None:
    alone, _ = run(project / "keyed.yaml")
    place = Place(Once(message), 0.5, shares_files=True)
    spread, failure = run(project / "keyed.yaml", place, 3)
    assert (place.started, failure) == (4, "")
    assert outcome(spread) == outcome(alone)


def test_more_than_is_kept_for_a_lost_copy_fails_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_stage, "KEPT_BYTES", 500)
    failure = ""
    for message in range(40, 200, 20):  # which worker has what by then is left to chance
        report, failure = run(
            project / "keyed.yaml", Place(Once(message), 0.5, shares_files=True), 3
        )
        if report.status == "failed":
            break
    assert re.match(
        r"worker \d was lost by chance; what its copy of '\w+' had collected is lost with it",
        failure,
    )
    assert "run again; if memory ran out, with fewer workers" in failure


COMBINED = """\
snaps:
  number: {snap: Sequence, number_of_documents: 300}
  count:
    snap: RemotePythonScript
    copies: any
    final: combined
    source: |
      seen = []
      def snaplogic_process(row):
          seen.append(row["value"])
      def snaplogic_final():
          return {"sum": sum(seen)}
      def snaplogic_combine(documents):
          return {"sum": sum(each["sum"] for each in documents)}
links: [number -> count]
"""


def test_a_lost_copy_whose_last_documents_are_combined_fails_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MOST_DOCUMENTS", 20)
    (project / "combined.yaml").write_text(COMBINED)
    place = Place(Random(1), 0.0, shares_files=True)
    report, failure = run(project / "combined.yaml", place, 2)
    assert (failure, report.outputs) == ("", {"count.output": [{"sum": 45150}]})
    failures = []
    for message in range(4, 40, 3):  # who has what by then is left to chance
        lost = Place(Once(message), 0.5, shares_files=True)
        report, failure = run(project / "combined.yaml", lost, 2)
        if failure:
            failures.append(failure)
        else:
            assert report.outputs == {"count.output": [{"sum": 45150}]}
    assert failures
    for failure in failures:
        assert "what its copy of 'count' had collected: its last documents would be" in failure


def test_copies_that_average_values_of_different_types_fail_the_run(project: Path) -> None:
    (project / "mixed.yaml").write_text("""\
snaps:
  number: {snap: Sequence, number_of_documents: 40}
  shape:
    snap: Mapper
    mappings: {$key: $value % 2, $x: "$value % 2 == 0 ? $value : Date.parse('2024-05-01')"}
  means:
    snap: Aggregate
    on_error: discard
    group_by_fields: [{field: $key, output_field: key}]
    aggregate_fields: [{function: avg, field: $x, result_field: mean}]
links: [number -> shape -> means]
""")
    _, failure = run(project / "mixed.yaml", Place(Random(1), 0.0, shares_files=True), 2)
    assert re.match(r"avg of \$x in 'means' got (dates|numbers) in one copy, and", failure)
    assert "convert the values first; a run with --workers 1 names the documents" in failure
