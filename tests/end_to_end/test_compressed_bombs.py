"""A small file that decompresses to a huge one is refused before it fills the memory."""

from __future__ import annotations

import bz2
import gzip
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.sdk import document_size

MIB = 1024 * 1024
KEEP = """
  keep: {snap: Mapper, mappings: {$snap: $snap_details.label, $reason: $reason}}
"""


def errors(project: Path, snaps: str, links: str) -> Any:
    (project / "read.yaml").write_text(f"snaps:\n{snaps}{KEEP}links: [{links} -> keep]\n")
    report = api.run(project / "read.yaml")
    assert sum(len(found) for found in report.outputs.values()) == 1
    return report.outputs["keep.output"]


def write(project: Path, kind: str, data: bytes) -> str:
    """A file that holds the data; the snaps that read it as a stream."""
    if kind == "zip":
        with zipfile.ZipFile(project / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a", data)
        return "  source: {snap: ZipFileRead, file: a.zip}\n"
    (project / "a").write_bytes((gzip if kind == "gzip" else bz2).compress(data))
    if kind == "gzip":
        return "  source: {snap: FileReader, file: 'gzip::a'}\n"
    return "  file: {snap: FileReader, file: a}\n  source: {snap: Decompress}\n"


LINKS = {"zip": "source", "gzip": "source", "bzip2": "file -> source"}


@pytest.mark.parametrize("kind", LINKS)
def test_a_document_of_a_bomb_is_an_error(kind: str, tmp_path: Path) -> None:
    source = write(tmp_path, kind, bytes(8 * MIB))
    to_document = "  made: {snap: BinaryToDocument, max_size: 2 MiB, on_error: route}\n"
    links = f"{LINKS[kind]} -> made, made.error"
    (error,) = errors(tmp_path, source + to_document, links)
    assert error == {"snap": "made", "reason": "it has more than 2,097,152 bytes"}


@pytest.mark.parametrize(
    ("parser", "start", "end"),
    [
        ("JSONParser", '["', '"]'),
        ("JSONParser, json_lines: true", '{"a": "', '"}'),
        ("JSONParser", "['", "']"),
        ("XMLParser", "<a>", "</a>"),
        ("XMLParser, splitter: a/b", "<a><b c='1'><d>", "</d></b></a>"),
        ("XMLParser, splitter: a/c", "<a><b c='", "'/></a>"),
    ],
)
def test_a_parser_does_not_make_one_document_of_a_bomb(
    parser: str, start: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_size, "MAX_DOCUMENT", 2 * MIB)
    source = write(tmp_path, "zip", start.encode() + b"x" * (8 * MIB) + end.encode())
    (error,) = errors(
        tmp_path,
        f"{source}  parse: {{snap: {parser}, on_error: route}}\n",
        "source -> parse, parse.error",
    )
    assert error == {"snap": "parse", "reason": "a document in it has more than 2 MiB"}


@pytest.mark.parametrize(
    ("parser", "item"),
    [
        ("JSONParser", b'{"a": "xxxxxxxxxx"},'),
        ("XMLParser, splitter: a/b", b"<b><c>xxxxxxxxx</c></b>"),
        ("XMLParser, splitter: a/none", b"<b><c>xxxxxxxxx</c></b>"),
    ],
)
def test_many_small_documents_may_have_any_size(
    parser: str, item: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_size, "MAX_DOCUMENT", MIB // 4)
    items = item * (MIB // len(item))
    data = b"[" + items[:-1] + b"]" if item[:1] == b"{" else b"<a>" + items + b"</a>"
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "read.yaml").write_text(
        f"snaps:\n  read: {{snap: FileReader, file: a}}\n  parse: {{snap: {parser}}}\n"
        "links: [read -> parse]\n"
    )
    found = api.run(tmp_path / "read.yaml").outputs.get("parse.output", [])
    assert len(found) == (0 if "none" in parser else MIB // len(item))
