"""A preview runs only what has changed since the last one; the rest is shown as it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from time import time
from typing import Any

import pytest

from engine.expressions.dates import DateTime
from engine.preview import reuse, samples

Preview = Callable[..., Any]


def _chain(count: int, **changed: str) -> str:
    """A generator and mappers that each add one to `$n`; some with another expression."""
    lines = ["  s1: {snap: JSONGenerator, documents: [{n: 1}, {n: 2}]}"]
    for number in range(2, count + 1):
        expression = changed.get(f"s{number}", "$n + 1")
        lines.append(f'  s{number}: {{snap: Mapper, mappings: {{$n: "{expression}"}}}}')
    links = " -> ".join(f"s{number}" for number in range(1, count + 1))
    return "snaps:\n" + "\n".join(lines) + f"\nlinks: [{links}]\n"


def _reused(shown: Any) -> list[str]:
    return [label for label, counts in shown.counts.items() if counts.get("reused")]


READING = """
parameters: {least: {default: "0"}, other: {default: "x"}}
snaps:
  read: {snap: FileReader, file: a.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  keep: {snap: Filter, filter: $n > parseInt(_least)}
links: [read -> parse -> keep]
"""


def test_after_an_edit_only_that_snap_and_those_after_it_run(preview: Preview) -> None:
    assert _reused(preview(_chain(20))) == []
    shown = preview(_chain(20, s13="$n + 100"))
    assert _reused(shown) == [f"s{number}" for number in range(1, 13)]
    assert shown.items["s20.output"] == [{"n": 119}, {"n": 120}]
    assert shown.items["s12.output"] == [{"n": 12}, {"n": 13}]
    assert "12 snaps from the last preview, 8 run" in shown.err


def test_what_is_shown_of_snaps_that_do_not_run_is_the_same(preview: Preview) -> None:
    pipeline = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}, {m: 2}, {n: 3}]}
  map: {snap: Mapper, mappings: {$n: $n}}
  keep: {snap: Filter, filter: $n > 1}
  text: {snap: JSONFormatter}
  write: {snap: FileWriter, file: out.json}
links: [make -> map -> keep -> text -> write]
"""
    first, second = preview(pipeline), preview(pipeline)
    assert second.code == first.code == 1
    assert len(_reused(second)) == 5
    assert second.out.replace(',"reused":true', "") == first.out
    assert second.counts["write"]["note"].startswith("would write 1 binary stream")


def test_a_snap_added_at_the_end_runs_alone(preview: Preview) -> None:
    preview(_chain(4))
    assert _reused(preview(_chain(5))) == ["s1", "s2", "s3", "s4"]


def test_a_comment_changes_nothing(preview: Preview) -> None:
    preview(_chain(3))
    assert len(_reused(preview(_chain(3).replace("snaps:", "# a comment\nsnaps:")))) == 3


def test_a_changed_file_is_read_again(preview: Preview) -> None:
    Path("a.jsonl").write_text('{"n": 1}\n')
    preview(READING)
    assert len(_reused(preview(READING))) == 3
    before = Path("a.jsonl").stat()
    Path("a.jsonl").write_text('{"n": 2}\n')
    os.utime("a.jsonl", ns=(before.st_atime_ns, before.st_mtime_ns))
    shown = preview(READING)
    assert _reused(shown) == []
    assert shown.items["keep.output"] == [{"n": 2}]


def test_a_large_file_with_another_size_is_read_again(preview: Preview) -> None:
    with Path("a.jsonl").open("w") as file:
        file.writelines(f'{{"n": {n}}}\n' for n in range(1, 7_000))
    preview(READING)
    assert len(_reused(preview(READING))) == 3
    Path("a.jsonl").write_text('{"n": 7}\n' + Path("a.jsonl").read_text())
    assert preview(READING).items["keep.output"][0] == {"n": 7}


def test_a_file_that_appears_is_read(preview: Preview) -> None:
    assert preview(READING).code == 1
    Path("a.jsonl").write_text('{"n": 1}\n')
    assert preview(READING).items["keep.output"] == [{"n": 1}]


def test_only_snaps_that_use_a_changed_parameter_run(preview: Preview) -> None:
    Path("a.jsonl").write_text('{"n": 1}\n{"n": 2}\n')
    preview(READING)
    shown = preview(READING, "--param", "least=1")
    assert _reused(shown) == ["read", "parse"]
    assert shown.items["keep.output"] == [{"n": 2}]
    assert len(_reused(preview(READING, "--param", "least=1", "--param", "other=y"))) == 3


def test_another_limit_reads_again(preview: Preview) -> None:
    preview(_chain(3))
    shown = preview(_chain(3), "--limit", "1")
    assert _reused(shown) == []
    assert shown.items["s3.output"] == [{"n": 3}]


def test_no_cache_runs_all(preview: Preview) -> None:
    preview(_chain(3))
    assert _reused(preview(_chain(3), "--no-cache")) == []
    assert len(_reused(preview(_chain(3)))) == 3


def test_documents_for_an_open_input_that_change_are_read_again(preview: Preview) -> None:
    pipeline = "snaps:\n  map: {snap: Mapper, mappings: {$n: $n}}\n"
    Path("in.json").write_text('{"n": 1}')
    preview(pipeline, "--input", "in.json")
    assert _reused(preview(pipeline, "--input", "in.json")) == ["map"]
    Path("in.json").write_text('{"n": 2}')
    assert preview(pipeline, "--input", "in.json").items["map.output"] == [{"n": 2}]


def test_a_changed_library_runs_again_what_uses_it(preview: Preview) -> None:
    pipeline = "libraries: {own: own.expr}\n" + _chain(2, s2="lib.own.add($n)")
    Path("own.expr").write_text("{add: n => n + 1}")
    preview(pipeline)
    Path("own.expr").write_text("{add: n => n + 5}")
    assert preview(pipeline).items["s2.output"] == [{"n": 6}, {"n": 7}]


def test_a_changed_child_pipeline_runs_again(preview: Preview) -> None:
    child = "pipeline: C\nsnaps:\n  map: {snap: Mapper, mappings: {$n: $n + 1}}\n"
    Path("child.yaml").write_text(child)
    pipeline = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  call: {snap: PipelineExecute, pipeline: child.yaml}
links: [make -> call]
"""
    preview(pipeline)
    assert len(_reused(preview(pipeline))) == 2
    Path("child.yaml").write_text(child.replace("+ 1", "+ 5"))
    shown = preview(pipeline)
    assert _reused(shown) == ["make"]
    assert shown.items["call.output"][0]["n"] == 6


def test_values_are_exact_when_they_are_used_again(preview: Preview) -> None:
    text = (
        '[{"big": 9007199254740993, "long": 123456789012345678901234567890, "money": 10.00, '
        '"tiny": 1E-7, "none": null, "yes": true}]'
    )
    pipeline = f"""
snaps:
  make: {{snap: JSONGenerator, text: '{text}'}}
  map: {{snap: Mapper, pass_through: true, mappings: {{$day: "LocalDate.parse('2026-11-29')",
    $d: "Date.parse('2026-11-29T10:00:00Z')"}}}}
  last: {{snap: Mapper, pass_through: true, mappings: {{$x: "1"}}}}
links: [make -> map -> last]
"""
    first = preview(pipeline)
    second = preview(pipeline.replace('"1"', '"2"'))
    assert _reused(second) == ["make", "map"]
    assert second.out.replace(',"reused":true', "").replace('"x":2', '"x":1') == first.out
    (document,) = samples("p.yaml")["map.output"]
    assert document["money"].as_tuple() == Decimal("10.00").as_tuple()
    assert document["big"] == 2**53 + 1
    assert type(document["d"]) is DateTime
    assert document["d"].tzinfo is UTC


def test_the_file_is_for_its_owner_only(preview: Preview) -> None:
    preview(_chain(2))
    (file,) = Path(".snapline/preview").glob("*.preview")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert Path(".snapline/.gitignore").read_text() == "*\n"


SECRET = """
parameters: {token: {required: true, secret: true}}
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  sign: {snap: Mapper, mappings: {$t: _token, $n: $n}}
  last: {snap: Mapper, mappings: {$length: $t.length, $n: $n}}
links: [make -> sign -> last]
"""


def test_secrets_are_not_in_the_file_and_are_not_replaced_for_the_next_snap(
    preview: Preview,
) -> None:
    secret = ("--param", "token=hunter2-hunter2")
    preview(SECRET, *secret)
    (file,) = Path(".snapline/preview").glob("*.preview")
    assert b"hunter2" not in file.read_bytes()
    assert samples("p.yaml")["sign.output"] == [{"t": "***", "n": 1}]
    assert len(_reused(preview(SECRET, *secret))) == 3
    shown = preview(SECRET.replace("$n: $n}}\nlinks", "$n: $n + 1}}\nlinks"), *secret)
    assert _reused(shown) == ["make"]
    assert shown.items["last.output"] == [{"length": 15, "n": 2}]


def test_another_secret_runs_what_uses_it(preview: Preview) -> None:
    preview(SECRET, "--param", "token=hunter2-hunter2")
    shown = preview(SECRET, "--param", "token=swordfish")
    assert _reused(shown) == ["make"]
    assert shown.items["last.output"] == [{"length": 9, "n": 1}]


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"snapline preview 1\n" + bytes(40)])
def test_a_damaged_file_is_ignored_with_a_notice(damage: bytes, preview: Preview) -> None:
    preview(_chain(2))
    (file,) = Path(".snapline/preview").glob("*.preview")
    file.write_bytes(damage)
    assert samples("p.yaml") == {}
    shown = preview(_chain(2))
    assert shown.code == 0
    assert (
        "the last preview cannot be used, so all snaps run: it is damaged or outdated" in shown.err
    )
    assert len(_reused(preview(_chain(2)))) == 2


def test_a_snap_that_failed_runs_again(preview: Preview) -> None:
    pipeline = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  call: {snap: Script, code: "raise RuntimeError('no')"}
links: [make -> call]
"""
    preview(pipeline)
    assert "call" not in _reused(preview(pipeline))


def test_samples_are_the_documents_of_the_last_preview(preview: Preview) -> None:
    assert samples("p.yaml") == {}
    preview(_chain(2))
    assert samples("p.yaml") == {
        "s1.output": [{"n": 1}, {"n": 2}],
        "s2.output": [{"n": 2}, {"n": 3}],
    }
    preview(_chain(2, s2="$n * 10"))
    assert samples(Path("p.yaml"))["s2.output"] == [{"n": 10}, {"n": 20}]
    assert samples("nothing\0.yaml") == {}


def test_what_is_known_of_other_snaps_stays_when_a_part_is_previewed(preview: Preview) -> None:
    preview(_chain(4))
    preview(_chain(4), "--to", "s2")
    assert set(samples("p.yaml")) == {f"s{number}.output" for number in range(1, 5)}
    assert len(_reused(preview(_chain(4)))) == 4


def test_a_project_that_cannot_be_written_is_previewed(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".snapline").write_text("a file in the way")
    shown = preview(_chain(2))
    assert shown.code == 0
    assert shown.items["s2.output"] == [{"n": 2}, {"n": 3}]
    assert "nothing is kept for the next preview" in shown.err


def test_a_file_whose_name_holds_a_secret_is_not_remembered(preview: Preview) -> None:
    Path("hunter2-hunter2.jsonl").write_text('{"n": 1}\n')
    pipeline = """
parameters: {token: {required: true, secret: true}}
snaps:
  read: {snap: FileReader, file: "= _token + '.jsonl'"}
  parse: {snap: JSONParser, json_lines: true}
links: [read -> parse]
"""
    secret = ("--param", "token=hunter2-hunter2")
    assert preview(pipeline, *secret).items["parse.output"] == [{"n": 1}]
    (file,) = Path(".snapline/preview").glob("*.preview")
    assert b"hunter2" not in file.read_bytes()
    Path("hunter2-hunter2.jsonl").write_text('{"n": 2}\n')
    assert preview(pipeline, *secret).items["parse.output"] == [{"n": 2}]


def test_large_documents_are_not_kept(preview: Preview) -> None:
    pipeline = """
snaps:
  make: {snap: JSONGenerator, text: '[$1]'}
  grow: {snap: Mapper, mappings: {$x: "'x'.repeat(1000000)", $n: $n}}
  last: {snap: Mapper, mappings: {$n: $n + 1}}
links: [make -> grow -> last]
""".replace("$1", ", ".join(f'{{"n": {n}}}' for n in range(6)))
    preview(pipeline)
    (file,) = Path(".snapline/preview").glob("*.preview")
    assert file.stat().st_size < 5 << 20
    shown = preview(pipeline.replace("$n + 1", "$n + 2"))
    assert _reused(shown) == ["make"]
    assert shown.items["last.output"][5] == {"n": 7}


def test_all_documents_of_a_view_are_used_again_not_only_those_shown(preview: Preview) -> None:
    pipeline = """
snaps:
  make: {snap: JSONGenerator, text: '[{"rows": [ROWS]}]'}
  split: {snap: JSONSplitter, json_path: $rows}
  last: {snap: Mapper, mappings: {$n: $n}}
links: [make -> split -> last]
""".replace("ROWS", ", ".join(f'{{"n": {n}}}' for n in range(300)))
    assert preview(pipeline, "--limit", "5").counts["split"]["out"] == 300
    shown = preview(pipeline.replace("$n: $n", "$m: $n"), "--limit", "5")
    assert _reused(shown) == ["make", "split"]
    assert shown.counts["last"]["out"] == 300
    assert shown.items["last.output"] == [{"m": n} for n in range(5)]


def test_what_depends_on_the_clock_is_used_for_an_hour(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = _chain(3, s2="Date.now().getTime()", s3="$n > 0")
    preview(pipeline)
    assert len(_reused(preview(pipeline))) == 3
    now = time()
    monkeypatch.setattr(reuse, "time", lambda: now + reuse.VARYING_SECONDS + 60)
    assert _reused(preview(pipeline)) == ["s1"]


def test_files_that_nobody_used_for_long_are_removed(preview: Preview) -> None:
    preview(_chain(2))
    (file,) = Path(".snapline/preview").glob("*.preview")
    old = file.with_name("old.preview")
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    preview(_chain(3))
    assert not old.exists()
    assert file.exists()
