"""`engine run --html` writes a page about the run: counts, times, errors, parameters, samples."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from engine.cli import main
from engine.cli.display import PlainDisplay
from engine.cli.run_page import SamplingDisplay
from engine.run.observer import Watcher

ORDERS = """
pipeline: Orders
parameters:
  token: {required: true, secret: true}
  limit: {default: "10"}
snaps:
  make:
    snap: JSONGenerator
    text: >
      [{"n": 9007199254740993, "price": 10.00}, {"n": 5, "token": "hunter2-hunter2"},
       {"m": 1}, {"n": 7, "b": "<b>&amp;"}, {"n": 8}, {"n": 9}, {"n": 20}]
  keep: {snap: Filter, filter: $n >= 7}
  failed: {snap: Mapper, mappings: {$why: $reason}}
links: [make -> keep, keep.error -> failed]
"""


@pytest.fixture
def page_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a pipeline with `--html`: the page."""

    def run(pipeline: str, *options: str, code: int = 0) -> str:
        (tmp_path / "p.yaml").write_text(pipeline)
        target = tmp_path / "page.html"
        arguments = ["run", str(tmp_path / "p.yaml"), "--quiet", "--html", str(target), *options]
        assert main(arguments) == code
        capsys.readouterr()
        return target.read_text(encoding="utf-8")

    return run


@pytest.fixture
def page(page_of: Callable[..., str]) -> str:
    return page_of(ORDERS, "--param", "token=hunter2-hunter2")


def samples(page: str, way: str) -> list[str]:
    """The documents that are shown of a link."""
    [details] = [part for part in page.split("<details")[1:] if f"<code>{way}</code>" in part]
    return [unescape(text) for text in re.findall(r"<pre[^>]*>(.*?)</pre>", details, re.DOTALL)]


def compact(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_the_page_has_the_counts_of_every_snap(page: str) -> None:
    [row] = [line for line in page.splitlines() if line.startswith("<tr><td>keep</td>")]
    numbers = re.findall(r'<td class="number">([\d,]+)</td>', row)
    assert numbers[:4] == ["7", "5", "1", "1"]


def test_the_graph_has_the_counts_at_its_links(page: str) -> None:
    graph = page.partition("<svg")[2].partition("</svg>")[0]
    assert re.findall(r'class="condition"[^>]*>([\d,]+)<', graph) == ["7", "1"]


def test_the_first_documents_of_each_link_are_shown(page: str) -> None:
    assert len(samples(page, "make.output → keep.input")) == 5
    assert "The first 5 of 7:" in page
    [failed] = samples(page, "keep.error → failed.input")
    assert '"original"' in failed


def test_documents_at_open_outputs_are_shown(page: str) -> None:
    assert len(samples(page, "keep.output → open output")) == 5


def test_numbers_and_texts_are_exact(page: str) -> None:
    first, _, _, fourth, _ = samples(page, "make.output → keep.input")
    assert compact(first) == '{"n":9007199254740993,"price":10.00}'
    assert compact(fourth) == '{"n":7,"b":"<b>&amp;"}'


@pytest.mark.parametrize("secret", ["7", "1", "keep", "completed"])
def test_a_secret_that_is_also_a_count_or_a_label_leaves_these_alone(
    page_of: Callable[..., str], secret: str
) -> None:
    page = page_of(ORDERS, "--param", f"token={secret}")
    assert "✓ completed" in page
    assert "<code>make.output → keep.input</code> <b>7</b>" in page


def test_secrets_are_masked_everywhere(page: str) -> None:
    assert "hunter2" not in page
    assert compact(samples(page, "make.output → keep.input")[1]) == '{"n":5,"token":"***"}'
    assert "<tr><td>token</td><td><code>***</code></td></tr>" in page
    assert "<tr><td>limit</td><td><code>10</code></td></tr>" in page


def test_a_failed_run_has_a_page_with_the_reason(page_of: Callable[..., str]) -> None:
    text = ORDERS.replace(", keep.error -> failed", "")
    text = text.replace("  failed: {snap: Mapper, mappings: {$why: $reason}}\n", "")
    page = page_of(text, "--param", "token=hunter2-hunter2", code=1)
    assert '<span class="failed">✗ failed</span>' in page
    [reason] = re.findall(r'<pre class="failure" role="alert">(.*?)</pre>', page, re.DOTALL)
    assert "`$n` is not in the document" in unescape(reason)


def test_streams_show_their_header_and_first_bytes(
    page_of: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text("héllo" * 1000)
    page = page_of(
        "snaps:\n  read: {snap: FileReader, file: in.txt}\n"
        "  end: {snap: Trash, input_type: binary}\nlinks: [read -> end]"
    )
    [stream] = samples(page, "read.output → end.input")
    assert stream.startswith("stream {")
    assert "\n\nhéllohéllo" in stream
    assert len(stream) < 1000


def test_a_link_that_nothing_crossed_says_so(page_of: Callable[..., str]) -> None:
    page = page_of(
        "snaps: {a: {snap: JSONGenerator, documents: []}, b: {snap: Trash}}\nlinks: [a -> b]"
    )
    assert samples(page, "a.output → b.input") == []
    assert "Nothing crossed here." in page


def test_a_huge_document_is_cut(page_of: Callable[..., str]) -> None:
    numbers = list(range(20_000))
    page = page_of(f"snaps: {{a: {{snap: JSONGenerator, documents: [{{n: {numbers}}}]}}}}")
    [shown] = samples(page, "a.output → open output")
    assert len(shown) < 5000
    assert shown.endswith("characters)")


def test_the_page_needs_nothing_from_elsewhere_and_no_script(page: str) -> None:
    assert re.findall(r"(?:href|src)=|<script|@import|url\(", page) == []
    assert page.count("<summary>") == page.count("<details") == 4


def test_a_page_that_cannot_be_written_is_reported_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text("snaps: {a: {snap: JSONGenerator, documents: [{n: 1}]}}")
    target = str(tmp_path / "nosuch" / "page.html")
    assert main(["run", str(tmp_path / "p.yaml"), "--html", target]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "--html: " in captured.err


def test_a_run_that_cannot_start_leaves_no_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text(ORDERS)
    assert main(["run", str(tmp_path / "p.yaml"), "--html", str(tmp_path / "page.html")]) == 2
    assert "the parameter 'token' is required" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_only_a_run_with_a_page_is_watched(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    display = PlainDisplay(sys.stdout, sys.stderr, [])
    assert not isinstance(display, Watcher)
    assert isinstance(SamplingDisplay(display), Watcher)


def test_the_page_says_when_the_run_started(page: str) -> None:
    assert re.search(r" s · started at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC · run ", page)


def test_a_document_that_json_cannot_hold_does_not_change_the_run(
    page_of: Callable[..., str],
) -> None:
    page = page_of(
        "snaps:\n"
        "  make: {snap: JSONGenerator, documents: [{n: 0}, {n: 4}]}\n"
        "  divide: {snap: Mapper, mappings: {$q: 8 / $n}}\n"
        "  finite: {snap: Filter, filter: isFinite($q)}\n"
        "  failed: {snap: Mapper, mappings: {$why: $reason}}\n"
        "links: [make -> divide -> finite, divide.error -> failed]\n"
    )
    infinite, finite = samples(page, "divide.output → finite.input")
    assert infinite == "cannot be shown as JSON: $.q is Infinity, which JSON cannot represent"
    assert compact(finite) == '{"q":2}'
    assert samples(page, "divide.error → failed.input") == []
