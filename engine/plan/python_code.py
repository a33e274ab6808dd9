"""Checks the Python that snaps will run before any snap of the pipeline starts.

The code is compiled, never run. Mistakes that only show at run time (a name built dynamically, an
import that fails) are found then.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import CodeType

from engine.locations import Location
from engine.pipeline.source import Source
from engine.pipeline.text import Text
from engine.plan.collector import ProblemCollector
from engine.plan.folders import is_file, local_path
from engine.plan.python_functions import unfit_functions
from engine.plan.snaps import ResolvedSnap
from engine.plan.views import ResolvedLink
from engine.sdk.settings import KeyPath, shown
from engine.sdk.snap import PythonCode

_DYNAMIC = frozenset({"exec", "eval", "globals", "locals", "vars", "setattr"})
_ALL_NAMES = ("*",)


def check_python(
    snaps: Mapping[str, ResolvedSnap],
    links: Iterable[ResolvedLink],
    collector: ProblemCollector,
    folder: str,
    project: str,
) -> None:
    """Report Python that does not compile, and functions that are missing for linked views."""
    linked = {link.ports[1] for link in links if link.ports is not None}
    views = {(port.label, port.view) for port in linked}
    for label, snap in snaps.items():
        for code in snap.code:
            read = source_of(code, folder, project)
            if read is None or (code.text and _is_cut(collector)):
                continue
            file, text = read
            tree_and_code = _compiled(label, code, file, text, collector)
            if tree_and_code is None or _is_dynamic(tree_and_code[1]):
                continue
            calls = code.calls
            if (label, code.view) in views:
                _check_names(label, code, tree_and_code[1], collector)
            else:
                calls = {name: calls[name] for name in calls if name not in code.needs}
            lines = text.splitlines()
            for unfit in unfit_functions(*tree_and_code, calls, code.yields):
                column = max(lines[unfit.line - 1].find(unfit.name), 0)
                span = unfit.line - 1, column, len(unfit.name)
                where = _place(label, code.path, file, text, span, collector)
                collector.report("wrong-function", where, unfit.message, unfit.hint)


def first_lines(label: str, snap: ResolvedSnap, source: Source) -> dict[str, int]:
    """The line of the pipeline file at which Python in a setting begins.

    Not for text whose lines are not lines of the file, as those of a folded or quoted value.
    """
    lines = {}
    for code in snap.code:
        if code.text and len(code.path) == 1:
            position = source.inside(("snaps", label, *code.path))
            text = code.text.rstrip("\n")
            first, last = position(0, 1).line, position(len(text) - 1, 1).line
            if last - first == text.count("\n"):
                lines[str(code.path[0])] = first
    return lines


def _is_cut(collector: ProblemCollector) -> bool:
    """Whether a YAML mistake may have cut Python written in the pipeline file."""
    return any(problem.code == "yaml-error" for problem in collector.spec.problems)


def source_of(code: PythonCode, folder: str, project: str) -> tuple[str, str] | None:
    """The file (none for Python in the setting itself) and its text; None if it cannot be read."""
    if not code.file:
        return "", code.text
    path = local_path(code.file, folder, project)
    if path is None or not is_file(path):
        return None
    try:
        return code.file, path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None  # the run reports it with more detail


def _compiled(
    label: str, code: PythonCode, file: str, text: str, collector: ProblemCollector
) -> tuple[ast.Module, CodeType] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            return tree, compile(tree, file or label, "exec", dont_inherit=True)
    except SyntaxError as error:
        line, column = max(error.lineno or 1, 1) - 1, max(error.offset or 1, 1) - 1
        length = (error.end_offset or 0) - 1 - column if error.end_lineno == error.lineno else 1
        where = _place(label, code.path, file, text, (line, column, length), collector)
        message = f"this is not valid Python: {error.msg}"
    except (ValueError, MemoryError, RecursionError) as error:
        where = collector.setting(label, code.path)
        message = f"this is not valid Python: {error or type(error).__name__}"
    collector.report("python-syntax", where, message)
    return None


def _place(
    label: str,
    path: KeyPath,
    file: str,
    text: str,
    span: tuple[int, int, int],
    collector: ProblemCollector,
) -> Location:
    """The place of a part of the code: line and column, from 0, and length."""
    line, column, length = span
    if file:
        shown_file = file if "://" in file else str(Path(collector.spec.path).parent / file)
        return Text.of(shown_file, text).at(line, column, max(length, 1))
    lines = text.splitlines(keepends=True)
    offset = min(sum(map(len, lines[:line])) + column, max(len(text.rstrip()) - 1, 0))
    return collector.inside(label, path, offset, max(length, 1))


def _check_names(
    label: str, code: PythonCode, compiled: CodeType, collector: ProblemCollector
) -> None:
    """Report a script that defines none of the functions that the snap calls."""
    if not code.needs or any(_is_global(name, compiled) for name in code.needs):
        return
    what = shown(code.file) if code.file else "the script"
    wanted = " nor ".join(code.needs)
    message = f"{what} defines neither {wanted}, but documents arrive at '{label}.{code.view}'"
    near = _nearest(code.needs[0], compiled.co_names)
    hint = f"rename '{near}' to {code.needs[0]}" if near else f"define {code.needs[0]}"
    collector.report("missing-function", collector.setting(label, code.path), message, hint)


def _is_dynamic(compiled: CodeType) -> bool:
    """Whether the code may bind names that cannot be seen in it."""
    names = {name for each in _nested(compiled) for name in each.co_names}
    from_elsewhere = any(_ALL_NAMES in each.co_consts for each in _nested(compiled))
    return from_elsewhere or bool(names & _DYNAMIC)


def _is_global(name: str, compiled: CodeType) -> bool:
    """Whether the script may bind a global of this name: a method of a class is none."""
    if name in compiled.co_names:
        return True
    inner = [each for each in _nested(compiled) if name in each.co_names]
    if not inner:
        return False
    import dis  # takes a while to import, and few scripts come here

    return any(
        step.opname == "STORE_GLOBAL" and step.argval == name
        for each in inner
        for step in dis.get_instructions(each)
    )


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _nearest(name: str, known: Iterable[str]) -> str:
    import difflib  # slow to import, and only needed for a mistake

    return next(iter(difflib.get_close_matches(name, list(known), 1, 0.75)), "")
