"""A folder of files, and questions about them at a mark."""

from __future__ import annotations

from pathlib import Path

from engine.language import Document, Position, Workspace
from engine.language.answers import Target, TextEdit
from engine.registry import discover

MARK = "¦"
PIPELINE = """\
parameters: {least: "10", unused: ""}
libraries: {tax: tax.expr}
snaps:
  read: {snap: FileReader, file: orders.json}
  parse: {snap: JSONParser}
  big: {snap: Filter, filter: $amount > +_least && lib.tax.rate > _least}
  call: {snap: PipelineExecute, pipeline: child, parameters: {url: = _least}}
links:
  - read -> parse -> big
  - big.output -> call
"""
CHILD = """\
parameters: {url: {required: true}}
snaps:
  make: {snap: JSONGenerator, text: '{"a": "$_url"}'}
"""
TESTS = """\
cases:
  one:
    parameters: {least: 5}
    mocks: {read: [], call: []}
    allow: [parse]
    expect: {big: {count: 1}, big.output: [], output: []}
"""
PINS = "pins: {read: [{a: 1}], big: {output: [{file: orders.json}]}}\n"
TASK = "type: triggered\npipeline: ../main.yaml\nparameters: {least: 3}\n"


class Folder:
    """Files in a folder that an editor shows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.workspace = Workspace(discover())
        self.workspace.folders = (path,)

    def write(self, name: str, text: str) -> str:
        """A file on the disk; its path."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return str(file)

    def open(self, name: str, text: str) -> tuple[Document, Position]:
        """An open file, and the position of the mark in the text, which is taken out."""
        before, _, after = text.partition(MARK)
        document = self.workspace.open(str(self.path / name), before + after)
        return document, document.lines.position(len(before))

    def shown(self, target: Target) -> str:
        """`file:line:text` of a place."""
        document = self.workspace.document(target.path)
        lines = document.lines
        start, end = map(lines.index, target.range)
        name = Path(target.path).relative_to(self.path).as_posix()
        return f"{name}:{target.range.start.line + 1}:{document.text[start:end]}"

    def edited(self, edits: dict[str, list[TextEdit]]) -> dict[str, str]:
        """The texts of the files after the edits."""
        return {
            Path(path).relative_to(self.path).as_posix(): edited(
                self.workspace.document(path), those
            )
            for path, those in edits.items()
        }


def edited(document: Document, edits: list[TextEdit]) -> str:
    """The text of a document after the edits."""
    text = document.text
    for edit in sorted(edits, key=lambda each: each.range, reverse=True):
        start, end = map(document.lines.index, edit.range)
        text = text[:start] + edit.text + text[end:]
    return text


def marked(text: str, at: str) -> str:
    """The text with the mark that `at` contains."""
    plain = at.replace(MARK, "")
    assert plain in text
    return text.replace(plain, at, 1)


def orders(path: Path) -> Folder:
    """A folder with a pipeline and what belongs to it."""
    folder = Folder(path)
    folder.write("main.yaml", PIPELINE)
    folder.write("main.test.yaml", TESTS)
    folder.write("main.preview.yaml", PINS)
    folder.write("child.yaml", CHILD)
    folder.write("tasks/main.yaml", TASK)
    folder.write("tax.expr", "{\n  rate: 0.19,\n  'other': 1\n}")
    folder.write("orders.json", "[]")
    return folder
