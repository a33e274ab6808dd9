"""What a snap's class says about itself for given settings, collected in one place.

The methods called here are the snap's own code. If one raises or returns something wrong, the snap
is unusable with these settings, just as if its module could not be imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from engine.documents import Document
from engine.errors import ExpressionError, UnusableSnapError
from engine.expressions.steps import Step
from engine.plan.plan import Facts
from engine.registry import SnapClass, SnapFile
from engine.registry.loading import describe, place_of
from engine.sdk.children import ChildReference
from engine.sdk.files import ReadFile, WrittenFile
from engine.sdk.parallel import ByKey, ByRun, Once, Parallel
from engine.sdk.settings import Issue, KeyPath, Settings, shown
from engine.sdk.snap import PythonCode, Snap
from engine.sdk.stream_snap import StreamSnap
from engine.sdk.views import Views


class Inspection(NamedTuple):
    """What a class answers for its settings.

    There are no facts if an expression in the settings is invalid, which is reported elsewhere.
    """

    parameters: tuple[tuple[KeyPath, str, int, bool], ...]
    issues: tuple[Issue, ...]
    files: tuple[tuple[KeyPath, str], ...]
    written: tuple[WrittenFile, ...]
    read: tuple[ReadFile, ...]
    code: tuple[PythonCode, ...]
    children: tuple[ChildReference, ...]
    views: Views
    facts: Facts | None
    steps: tuple[Step, ...]


def inspect_snap(snap_class: SnapClass, settings: Settings) -> Inspection:
    """Inspect a class. Raises UnusableSnapError if one of its methods is missing or fails."""
    with _named_when_failing(snap_class) as file:
        inspection = Inspection(
            _items(snap_class, "parameters_read", settings),
            _items(snap_class, "check", settings),
            _items(snap_class, "files_needed", settings),
            _items(snap_class, "files_written", settings),
            _items(snap_class, "files_read", settings),
            _items(snap_class, "python_code", settings),
            _items(snap_class, "children", settings),
            _answer(snap_class, "views_for", settings),
            _readable_facts(snap_class, settings),
            _steps(snap_class, settings),
        )
    if inspection.views.inputs and (missing := _missing_method(snap_class)):
        statement = file.classes.get(snap_class.__name__)
        place = file.path if statement is None else f"{file.path}:{statement.line}"
        raise UnusableSnapError(
            f"the snap {snap_class.__name__} in {place} has an input, but no method for it",
            f"define {missing}",
        )
    return inspection


def inspect_output(
    snap_class: SnapClass, settings: Settings
) -> tuple[tuple[Document, ...], tuple[Step, ...]]:
    """What a class says about the documents that it makes: known ones, and its steps.

    Raises UnusableSnapError if one of its methods fails.
    """
    with _named_when_failing(snap_class):
        return _items(snap_class, "known_output", settings), _steps(snap_class, settings)


def inspect_inputs(
    snap_class: SnapClass, settings: Settings, inputs: Sequence[str]
) -> tuple[Issue, ...]:
    """What a class says about its linked inputs. Raises UnusableSnapError if its method fails."""
    with _named_when_failing(snap_class):
        return _items(snap_class, "check_inputs", settings, inputs)


@contextmanager
def _named_when_failing(snap_class: SnapClass) -> Iterator[SnapFile]:
    """Errors of the snap's own code name its file and line."""
    file = SnapFile(snap_class.__module__, inspect.getfile(snap_class))
    try:
        yield file
    except UnusableSnapError:
        raise
    except Exception as error:  # the code of a snap may raise anything
        path, line = place_of(error, file)
        raise UnusableSnapError(
            f"the snap {snap_class.__name__} failed while checking its settings: "
            f"{path}:{line}: {describe(error)}",
            "this is a bug in the snap: fix that line, or change the setting",
        ) from error


def _missing_method(snap_class: SnapClass) -> str:
    """What a class with inputs must define; empty if it does."""
    if issubclass(snap_class, StreamSnap):
        is_handled = (
            snap_class.feed is not StreamSnap.feed
            or snap_class.process_batch is not StreamSnap.process_batch
        )
        return "" if is_handled else "feed(self, chunk)"
    is_handled = (
        snap_class.process is not Snap.process or snap_class.process_batch is not Snap.process_batch
    )
    return "" if is_handled else "process(self, document) or process_batch(self, view, batch)"


def _items(snap_class: SnapClass, method: str, *arguments: Any) -> tuple[Any, ...]:
    """All that a class method yields. Raises UnusableSnapError for a wrong result."""
    call = getattr(snap_class, method)
    if getattr(call, "__func__", None) is _NOTHING[method]:
        return ()
    result = call(*arguments)
    if not isinstance(result, Iterable) or isinstance(result, str):
        raise _wrong_result(snap_class, method, result)
    is_right, _ = _RESULTS[method]
    items = tuple(result)
    for item in items:
        if not is_right(item):
            raise _wrong_result(snap_class, method, item)
    return items


_NOTHING = {
    name: getattr(Snap, name).__func__
    for name in (
        *("parameters_read", "check", "check_inputs", "files_needed", "files_written"),
        *("files_read", "python_code", "children", "known_output", "steps"),
    )
}
"""The methods of the base class that say that there is nothing; most classes keep most of them."""


def _answer(snap_class: SnapClass, method: str, *arguments: Any) -> Any:
    """What a class method returns. Raises UnusableSnapError for a wrong result."""
    result = getattr(snap_class, method)(*arguments)
    is_right, _ = _RESULTS[method]
    if not is_right(result):
        raise _wrong_result(snap_class, method, result)
    return result


def _wrong_result(snap_class: SnapClass, method: str, result: object) -> UnusableSnapError:
    code = getattr(inspect.unwrap(getattr(snap_class, method)), "__code__", None)
    place = "" if code is None else f": {code.co_filename}:{code.co_firstlineno}"
    return UnusableSnapError(
        f"{method} of the snap {snap_class.__name__} returned {shown(result)}{place}",
        f"this is a bug in the snap: it must return {_RESULTS[method][1]}",
    )


def _is(kind: Any) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind)


def _is_row(*kinds: type) -> Callable[[object], bool]:
    """Whether a value is a tuple of values of these types."""
    return lambda value: (
        isinstance(value, tuple) and len(value) == len(kinds) and all(map(isinstance, value, kinds))
    )


def _is_paths(value: object) -> bool:
    """Whether a value is what `reads` returns."""
    if value is None:
        return True
    return isinstance(value, frozenset) and all(
        isinstance(path, tuple) and path and all(isinstance(name, str) for name in path)
        for path in value
    )


_RESULTS: dict[str, tuple[Callable[[object], bool], str]] = {
    "parameters_read": (
        _is_row(tuple, str, int, bool),
        "tuples of a setting's path, a name, an offset and true or false",
    ),
    "check": (_is(Issue), "Issue values"),
    "check_inputs": (_is(Issue), "Issue values"),
    "files_needed": (_is_row(tuple, str), "tuples of a setting's path and a file name"),
    "files_written": (_is(WrittenFile), "WrittenFile values"),
    "files_read": (_is(ReadFile), "ReadFile values"),
    "python_code": (_is(PythonCode), "PythonCode values"),
    "children": (_is(ChildReference), "ChildReference values"),
    "views_for": (_is(Views), "Views"),
    "reads": (_is_paths, "None or a frozenset of paths, which are tuples of strings"),
    "steps": (_is(Step), "steps such as Keep and Make"),
    "known_output": (_is(dict), "documents"),
    "loses_lineage_for": (_is(str), "a string"),
    "writes_for": (_is(bool), "true or false"),
    "final_for": (
        lambda value: value in ("each", "once", "combined"),
        "'each', 'once' or 'combined'",
    ),
    "parallel_for": (
        lambda value: isinstance(value, ByKey | ByRun | Once) or value in ("", "any", "one"),
        "'', 'any', 'one', ByKey, ByRun or Once",
    ),
}
"""For each method, whether a result (or an item of it) is right, and what it must return."""


def _readable_facts(snap_class: SnapClass, settings: Settings) -> Facts | None:
    try:
        return _facts(snap_class, settings)
    except ExpressionError:
        return None


def _facts(snap_class: SnapClass, settings: Settings) -> Facts:
    """The facts of a snap's class that the plan carries."""
    return Facts(
        stateful=snap_class.stateful,
        single=snap_class.single,
        keeps_order=snap_class.keeps_order,
        loses_lineage=_loses_lineage(snap_class, settings),
        replayable=snap_class.replayable,
        blocking=snap_class.blocking,
        flows=snap_class.flows,
        hurries=snap_class.hurries,
        plain=snap_class.plain,
        changes_input=snap_class.changes_input,
        shares_output=snap_class.shares_output,
        passes_on=snap_class.passes_on,
        writes=_answer(snap_class, "writes_for", settings),
        reads=_reads(snap_class, settings),
        parallel=_parallel(snap_class, settings),
        splits=snap_class.splits,
        final=_answer(snap_class, "final_for", settings),
    )


def _parallel(
    snap_class: SnapClass, settings: Settings
) -> Literal["any", "one"] | ByKey | ByRun | Once:
    """How many copies may run: as declared, or else as the other facts allow."""
    declared: Parallel = _answer(snap_class, "parallel_for", settings)
    if declared:
        return declared
    needs_one = snap_class.stateful or snap_class.single
    return "one" if needs_one or not (snap_class.keeps_order and snap_class.replayable) else "any"


def _reads(snap_class: SnapClass, settings: Settings) -> frozenset[tuple[str, ...]] | None:
    """What the snap reads; anything if one of its expressions is invalid."""
    try:
        found: frozenset[tuple[str, ...]] | None = _answer(snap_class, "reads", settings)
        return found
    except ExpressionError:
        return None


def _loses_lineage(snap_class: SnapClass, settings: Settings) -> str:
    """Why the snap loses lineage. One with a `finish` must declare that it does not.

    A declaration covers `finish` in the same class or a base class, not in a subclass.
    """
    for cls in snap_class.__mro__:
        declared = cls.__dict__.keys()
        if cls is not Snap and declared & {"loses_lineage", "loses_lineage_for"}:
            break
        if cls is not Snap and "finish" in declared:
            return _FINISH_LOSES_LINEAGE
    reason: str = _answer(snap_class, "loses_lineage_for", settings)
    return reason


_FINISH_LOSES_LINEAGE = (
    "holds documents back and emits them in 'finish', after all requests have ended; "
    "if every document that it emits carries the lineage of its request, "
    'declare that in the class: loses_lineage = ""'
)


def _steps(snap_class: SnapClass, settings: Settings) -> tuple[Step, ...]:
    """The steps that the class declares. A subclass with other behaviour must declare its own."""
    for cls in snap_class.__mro__:
        declared = cls.__dict__.keys()
        if "steps" in declared:
            return _items(snap_class, "steps", settings)
        if declared & _BEHAVIOUR:
            break
    return ()


_BEHAVIOUR = frozenset({"open", "process", "process_batch", "begin", "feed", "end", "finish"})
