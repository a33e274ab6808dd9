"""`engine graph` draws pipelines: on the terminal, and as SVG, HTML, Mermaid and JSON."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import api
from engine.cli import main
from engine.pipeline.case_files import is_test_file
from tests.cli.graphs import CHAIN, ROUTED

BOXES = """\
  ╭────────────╮     ╭────────────╮     ╭────────╮
  │ read       │────▶│ parse      │────▶│ keep   │─○
  │ FileReader │     │ JSONParser │     │ Filter │
  ╰────────────╯     ╰────────────╯     ╰────────╯
"""
RAILS = """\
●   orders  JSONGenerator
●   size  Router  (open: small)
│   large  $n >= 10  → pack
├─╮ error  → failed
● ╎ pack  Mapper  (open: output)
  ● failed  Mapper  (open: output)
"""


class Terminal(io.TextIOWrapper):
    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture
def on_terminal(draw: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Draws a pipeline on a terminal of some width, without colours."""

    def run(pipeline: str, width: int, encoding: str = "utf-8") -> str:
        screen = Terminal(encoding)
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("NO_COLOR", "1")
        draw(pipeline)
        return screen.shown()

    return run


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["graph", *arguments]) == 2
    return capsys.readouterr().err


def test_a_pipe_gets_boxes(draw: Callable[..., str]) -> None:
    assert draw(CHAIN) == BOXES


def test_a_terminal_gets_boxes_if_they_fit(on_terminal: Callable[..., str]) -> None:
    assert on_terminal(CHAIN, 60) == BOXES


def test_an_encoding_without_lines_gets_ascii(on_terminal: Callable[..., str]) -> None:
    drawn = on_terminal(CHAIN, 60, "latin-1")
    assert drawn.isascii()
    assert "| read       |---->| parse      |---->| keep   |-o\n" in drawn


def test_a_narrow_terminal_gets_a_list_with_rails(on_terminal: Callable[..., str]) -> None:
    assert on_terminal(ROUTED, 45) == RAILS


def test_a_list_is_cut_at_the_width_of_the_terminal(on_terminal: Callable[..., str]) -> None:
    assert max(map(len, on_terminal(ROUTED, 20).splitlines())) <= 20
    assert "●   size  Router  (…\n" in on_terminal(ROUTED, 20)


def test_rails_that_meet_come_together(on_terminal: Callable[..., str]) -> None:
    make = "{snap: JSONGenerator, documents: []}"
    text = f"""
snaps: {{a: {make}, b: {make}, c: {make}, all: {{snap: Union}}}}
links: [a -> all, b -> all, c -> all]
"""
    assert on_terminal(text, 30).splitlines() == [
        "●     a  JSONGenerator",
        "│",
        "│ ●   b  JSONGenerator",
        "│ │",
        "│ │ ● c  JSONGenerator",
        "├─┴─╯",
        "●     all  Union  (open: outp…",
    ]


def test_rails_are_drawn_with_ascii_where_there_is_nothing_else(
    on_terminal: Callable[..., str],
) -> None:
    drawn = on_terminal(ROUTED, 45, "latin-1")
    assert drawn.isascii()
    assert "+-+ error  -> failed\n" in drawn


def test_boxes_show_routes_and_errors(draw: Callable[..., str]) -> None:
    lines = draw(ROUTED).splitlines()
    assert any("large │─ $n >= 10 ─" in line for line in lines)
    assert any("error │╌╌" in line for line in lines)
    assert any("small │─○" in line for line in lines)


def test_colours_are_for_terminals(
    draw: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    screen = Terminal("utf-8")
    monkeypatch.setattr(sys, "stdout", screen)
    draw(ROUTED)
    shown = screen.shown()
    assert "\x1b[1msize\x1b[0m" in shown
    assert re.search("\x1b\\[31m╌", shown)
    assert all(line.count("\x1b[0m") or "\x1b" not in line for line in shown.splitlines())


def test_wide_characters_keep_the_borders_aligned(draw: Callable[..., str]) -> None:
    lines = draw("snaps: {日本語: {snap: Copy}}").splitlines()
    assert lines[1] == "○▶│ 日本語 │"
    assert lines[0] == "  ╭────────╮"


def test_the_counts_of_a_run_are_at_its_links(report: Path, draw: Callable[..., str]) -> None:
    drawn = draw(ROUTED, "--report", str(report))
    assert "─ $n >= 10 · 1 ─" in drawn
    assert re.search(r"orders +│─ 3 ─", drawn)
    assert re.search(r"\d s · 1 error ", drawn)


def test_a_snap_that_is_new_since_the_run_says_so(report: Path, draw: Callable[..., str]) -> None:
    changed = ROUTED.replace("links:\n", "  added: {snap: Copy}\nlinks:\n")
    drawn = draw(changed + "  - size.small -> added\n", "--report", str(report))
    assert "not in the run" in drawn


def test_a_report_of_another_pipeline_is_refused(
    report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(CHAIN)
    message = refusal(capsys, str(file), "--report", str(report))
    assert "the report is not of this pipeline: it has none of its snaps" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "is not the report of a run: Object missing required field `snaps`"),
        ("x", "is not the report of a run: JSON is malformed"),
        (None, "No such file or directory"),
    ],
)
def test_a_file_that_is_not_a_report_is_refused(
    content: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text(CHAIN)
    if content is not None:
        (tmp_path / "r.json").write_text(content)
    arguments = (str(tmp_path / "p.yaml"), "--report", str(tmp_path / "r.json"))
    assert message in refusal(capsys, *arguments)


BROKEN = """
pipeline: Broken
snaps:
  read: {snap: FileReder, file: x}
  parse: {snap: JSONParser}
  keep: {snap: Filter, filter: "$a >"}
  off: {snap: Mapper, mappings: {$a: $a}, mode: disabled}
  after: {snap: Copy}
links:
  - read -> parse -> keep -> keep2
  - keep.nosuch -> off -> after
"""


def test_a_broken_pipeline_is_drawn_as_far_as_it_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(BROKEN)
    assert main(["graph", str(file)]) == 0
    captured = capsys.readouterr()
    for text in ("FileReder (unknown)", "no such snap", "nosuch", "Mapper (disabled)"):
        assert text in captured.out
    assert "Copy (disabled)" in captured.out
    assert re.search(r"has \d errors; it is drawn as far as it can be read", captured.err)


def test_a_drawing_too_large_for_boxes_is_a_list(draw: Callable[..., str]) -> None:
    make = "{snap: JSONGenerator, documents: []}"
    snaps = "".join(f"  s{number}: {make}\n" for number in range(60))
    chain = "".join(f"  c{number}: {{snap: Copy}}\n" for number in range(60))
    links = " -> ".join(f"c{number}" for number in range(60))
    text = f"snaps:\n{snaps}{chain}links: [{links}]\n"
    assert "╭" in draw(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.diagram.terminal.MOST_CELLS", 10_000)
        drawn = draw(text)
    assert "╭" not in drawn
    assert drawn.startswith("●")


def test_a_cycle_is_drawn(draw: Callable[..., str]) -> None:
    copy = "{snap: Copy}"
    drawn = draw(f"snaps: {{a: {copy}, b: {copy}}}\nlinks: [a -> b, b -> a]")
    assert drawn.count("▶") >= 2


def test_a_pipeline_without_snaps_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text("")
    assert "the file contains no pipeline" in refusal(capsys, str(tmp_path / "p.yaml"))


def test_a_task_file_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.yaml").write_text("type: triggered\npipeline: p.yaml\n")
    message = refusal(capsys, str(tmp_path / "t.yaml"))
    assert "is a task file; draw the pipeline that it names" in message


def test_an_unknown_format_is_refused_before_anything_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = refusal(capsys, "nosuch.yaml", "-o", "p.png")
    assert message == (
        "engine: a graph cannot be written as 'p.png'; its name must end in .svg, .html, .mmd or "
        ".json\n"
    )


def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text(CHAIN)
    target = str(tmp_path / "p.yaml" / "p.svg")
    message = refusal(capsys, str(tmp_path / "p.yaml"), "-o", target)
    assert message.startswith(f"engine: cannot write the file '{target}': ")


YAML_FILES = (Path(__file__).parents[2] / "pipelines").glob("*.yaml")
PIPELINES = sorted(file for file in YAML_FILES if not is_test_file(file))


@pytest.mark.parametrize("file", PIPELINES, ids=[file.stem for file in PIPELINES])
def test_the_pipelines_of_the_repository_are_drawn(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", str(file)]) == 0
    drawn = capsys.readouterr().out
    assert [label for label in api.load(file).snaps if label not in drawn] == []


@pytest.mark.parametrize("name", ["orders.test.yaml", "orders.preview.yaml"])
def test_a_file_beside_a_pipeline_is_not_drawn(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("cases: {a: {expect: {diagnostics: []}}}\n")
    assert main(["graph", name]) == 2
    assert f"'{name}' is not a pipeline; draw the one beside it" in capsys.readouterr().err
