"""Run a script of SnapLogic's Script snap: `execute()` reads the input and writes the output."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Literal

from engine.sdk import (
    NO_LINEAGE,
    Batch,
    ConfigurationError,
    DataError,
    Document,
    Emission,
    Example,
    Foreign,
    Issue,
    Lineage,
    PythonCode,
    ScriptFailure,
    ScriptSession,
    Settings,
    Snap,
    Value,
    View,
    Views,
    excerpt,
    setting,
)
from engine.sdk import Script as ScriptToRun
from snaps.script.shared.python2_syntax import SyntaxProblem, with_python3_syntax
from snaps.script.shared.script_settings import memory_limit, script_issues
from snaps.script.shared.script_texts import run_information, text_of

_EXAMPLE = """\
from com.snaplogic.scripting.language import ScriptHook

class TransformScript(ScriptHook):
    def __init__(self, input, output, error, log):
        self.input = input
        self.output = output
        self.error = error

    def execute(self):
        while self.input.hasNext():
            doc = self.input.next()
            if doc.containsKey("n"):
                self.output.write(doc, {"half": doc["n"] / 2})
            else:
                self.error.write("there is no n")

hook = TransformScript(input, output, error, log)
"""


class ScriptSettings(Settings):
    language: Literal["python", "javascript", "ruby"] = setting(
        default="python", help="The language of the script; only Python runs here."
    )
    script: str = setting(
        default="",
        help="The script file, relative to the pipeline file. It defines a class with `execute()`, "
        "and ends with `hook = TransformScript(input, output, error, log)`.",
        example="scripts/transform.py",
    )
    source: str = setting(default="", help="The source code of the script, instead of a file.")
    requirements: tuple[str, ...] = setting(
        default=(),
        help="Libraries that the script needs, as pip requirements; installed before it starts.",
        example=["python-dateutil"],
    )
    timeout: float | None = setting(
        default=None,
        help="Time limit, in seconds, from one `input.next()` to the next. By default, there is no "
        "limit.",
    )
    memory: int | str | None = setting(
        default=None,
        help="Memory limit for the process of the script. By default, there is no limit.",
        example="2GiB",
    )


class Script(Snap[ScriptSettings]):
    since = "0.4.0"
    about = """
    `execute()` runs once. It reads documents with `input.hasNext()` and `input.next()` as they
    arrive, and writes with `output.write(doc)` or `output.write(in_doc, doc)`, `error.write(...)`
    and `log.info(...)`. The script runs in a process of its own, as a Remote Python script does.

    Scripts were made for Jython 2.7, so the text may be Python 2 and has its meaning: `7 / 2` is
    3, and `keys()` gives a list. The Java classes that such scripts use (collections, `Base64`,
    `java.time`, `BigDecimal`, zip) are there; other Java classes are not. Integers are `int`, and
    other numbers `BigDecimal`, which also mixes with `float`. In an ultra task, each document
    must be answered with `output.write(in_doc, doc)` before the next is read; if nothing is
    written for it, its request is filtered. An exception in `execute()` fails the pipeline.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-script-script",
        "Script",
        version=2,
        settings={"editable_content": "source", "language": "language", "script": "script"},
        files={"editable_content": "script"},
        choices={
            "language": {"Python": "python", "Javascript": "javascript", "Ruby": "ruby"},
        },
        defaults={"language": "Javascript"},
    )
    views = Views(inputs=(View("input", unlinked="nothing"),))
    single = True
    replayable = False
    blocking = True
    flows = True
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "a document without n is an error",
            settings={"source": _EXAMPLE},
            given=[{"n": 7}, {"m": 1}],
            on_error="route",
            expect={
                "output": [{"half": 3}],
                "error": [
                    {
                        "error": "there is no n",
                        "reason": "there is no n",
                        "resolution": "",
                        "stacktrace": "there is no n",
                        "snap_details": {"label": "snap"},
                        "original": {"m": 1},
                    }
                ],
            },
        ),
    )

    @classmethod
    def loses_lineage_for(cls, settings: ScriptSettings) -> str:
        tree = _tree(settings.source)
        return "" if tree is None else _write_without_origin(tree)

    @classmethod
    def check(cls, settings: ScriptSettings) -> Iterable[Issue]:
        if settings.language != "python":
            name = {"javascript": "JavaScript", "ruby": "Ruby"}[settings.language]
            hint = "rewrite the script in Python, and set language to python"
            yield Issue(("language",), f"scripts in {name} are not supported", hint)
            return
        yield from script_issues(
            settings.script, settings.source, settings.timeout, settings.memory
        )
        if not settings.script and not settings.source:
            yield Issue((), "there is no script", "set script (a file) or source (code)")
        yield from _source_issues(settings.source)

    @classmethod
    def files_needed(cls, settings: ScriptSettings) -> Iterable[tuple[tuple[str | int, ...], str]]:
        if settings.script and settings.language == "python":
            yield ("script",), settings.script

    @classmethod
    def python_code(cls, settings: ScriptSettings) -> Iterable[PythonCode]:
        if settings.language == "python" and _is_python3(settings.source):
            yield PythonCode(("source",), text=settings.source)

    def open(self) -> None:
        self._session: ScriptSession | None = None
        context = self.context
        self._session = context.scripts.open(self._script(), context.show, context.fail)
        self._session.connect()

    def start(self) -> Iterator[Document]:
        yield from self._outside_rows(self._running().start())

    def process_batch(self, view: str, batch: Batch) -> Emission:
        return self._answered(batch)

    def _answered(self, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        position = 0
        for answers in self._running().process(batch.items):
            written = Batch([], None if batch.lineage is None else [])
            for answer in answers:
                row, lineage = batch.items[position], batch.lineage_of(position)
                position += 1
                if not answer:
                    self.context.dropped(1, (lineage,))
                for item in answer if isinstance(answer, list) else [answer] if answer else ():
                    if isinstance(item, dict) and "output" in item:
                        written.items.append(item["output"])
                        if written.lineage is not None:
                            written.lineage.append(lineage)
                        continue
                    yield {"output": written}  # before the error, which may stop the run
                    written = Batch([], None if batch.lineage is None else [])
                    self._report(item, row, lineage)
            yield {"output": written}

    def finish(self) -> Iterator[Document]:
        yield from self._outside_rows(self._running().finish())

    def _outside_rows(self, written: list[Document]) -> Iterator[Document]:
        """What the script wrote before its first row or after its last."""
        for item in written:
            if "output" in item:
                yield item["output"]
            else:
                self._report(item, None, NO_LINEAGE)

    def _report(self, item: Document | DataError, row: Document | None, lineage: Lineage) -> None:
        """Report a row that failed, or an error that the script wrote; raise if it has failed."""
        if isinstance(item, DataError):
            self.context.failed(item, row, lineage)
        elif "failed" in item:
            raise ScriptFailure(*item["failed"])
        else:
            self.context.failed(_error(item["error"]), row, lineage)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def interrupt(self) -> None:
        if self._session is not None:
            self._session.interrupt()

    def _running(self) -> ScriptSession:
        assert self._session is not None  # opened by start
        return self._session

    def _script(self) -> ScriptToRun:
        settings, context = self.settings, self.context
        file = context.files.locate(settings.script) if settings.script else ""
        pipeline, line = context.place_of("source")
        pipeline_name = PurePath(pipeline).name
        if file:
            name = PurePath(file).name
            source = text_of(b"".join(context.files.read(settings.script)), f"the script in {file}")
        else:
            name = pipeline_name if line else f"{pipeline_name}, source of '{context.label}'"
            source = "\n" * (line - 1) + settings.source  # its lines are those of the file
        try:
            source = with_python3_syntax(source)
        except SyntaxProblem as problem:
            raise ConfigurationError(
                f"{name}, line {problem.line}: this is not valid Python: {problem.message}"
            ) from None
        return ScriptToRun(
            source=source,
            name=name,
            folder=str(PurePath(file).parent) if file else context.folder,
            directory=context.folder,
            requirements=settings.requirements,
            owner=f"{context.label} in {PurePath(context.folder, pipeline_name)}",
            timeout=settings.timeout,
            memory=memory_limit(settings.memory),
            pipe=run_information(context),
            exact=True,
            style="hook for requests" if context.in_ultra else "hook",
        )


def _error(written: Document) -> DataError:
    """The error that a script wrote: a map with any fields."""
    fields = dict(written)
    error = fields.pop("error", "") or f"the script wrote an error: {excerpt(written)}"
    reason, resolution = fields.pop("reason", ""), fields.pop("resolution", "")
    return DataError(_shown(error), _shown(reason), _shown(resolution), details=fields)


def _shown(value: Value) -> str:
    return value if isinstance(value, str) else excerpt(value)


def _is_python3(source: str) -> bool:
    try:
        return bool(source) and with_python3_syntax(source) == source
    except SyntaxProblem:
        return False


def _tree(source: str) -> ast.Module | None:
    try:
        return ast.parse(with_python3_syntax(source)) if source else None
    except SyntaxProblem:
        return None


def _source_issues(source: str) -> Iterator[Issue]:
    """Mistakes of a script that is written in the pipeline."""
    try:
        with_python3_syntax(source)
    except SyntaxProblem as problem:
        message = f"line {problem.line} is not valid Python: {problem.message}"
        hint = "correct the script; it may be Python 3, or Python 2 as for Jython"
        yield Issue(("source",), message, hint)
    tree = _tree(source)
    if tree is not None and not any(
        isinstance(node, ast.Name) and node.id == "hook" and isinstance(node.ctx, ast.Store)
        for node in ast.walk(tree)
    ):
        hint = "end the script with: hook = TransformScript(input, output, error, log)"
        yield Issue(("source",), "the script does not define 'hook'", hint)


def _write_without_origin(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "write"
            and _is_output(node.func.value)
            and len(node.args) == 1
        ):
            return (
                "writes documents without saying which request they answer (line "
                f"{node.lineno} of the script); use output.write(in_doc, doc)"
            )
    return ""


def _is_output(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name == "output"
