"""Text -> a Python function of the document: fast code, with careful code as the fallback.

An expression that changes something (`$list.push(1)`) must not be evaluated twice, so it has only
the careful code.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol, cast

from engine.documents import copied
from engine.errors import ExpressionError, ExpressionSyntaxError
from engine.expressions.checks import faults_in
from engine.expressions.compiler import facts
from engine.expressions.compiler.careful import Careful
from engine.expressions.compiler.fast import Fast
from engine.expressions.compiler.names import Names
from engine.expressions.compiler.unit import DOCUMENT, Unit, load
from engine.expressions.failures import Failure, TooSlowFailure, located
from engine.expressions.first_reads import first_reads
from engine.expressions.limits import CALL_DEPTH, bounded, restart
from engine.expressions.nodes import Invalid, Name, Node
from engine.expressions.parsed import parsed
from engine.expressions.parser import parse_part
from engine.expressions.paths.call import called_path
from engine.expressions.paths.conditions import as_condition
from engine.expressions.paths.path import Path, read_path
from engine.expressions.paths.reading import Use
from engine.expressions.scope import Context, Scope, may_use_scope
from engine.expressions.values import Function

ALL_ERRORS = (
    Failure,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
_CACHED_TEXTS = 256
PATH_VARIABLES = ("value", "key")


class CompiledExpression(Protocol):
    """The function of the document; with `mutates` it may change the document."""

    text: str
    mutates: bool

    def __call__(self, document: Any, /) -> Any: ...


def compile_expression(
    text: str, *, null_safe: bool = False, scope: Scope | None = None
) -> CompiledExpression:
    """The expression as a function of the document, which may be any value.

    Raises ExpressionSyntaxError here, EvaluationError when called.
    """
    scope = scope or Scope()
    if not may_use_scope(text, scope):
        with suppress(ExpressionSyntaxError):  # with the scope, its message may say more
            return _compiled_once(text, null_safe, scope.timezone)
    return compile_in(text, Names(context_of(scope, null_safe), {}), null_safe)


@functools.lru_cache(_CACHED_TEXTS)
def _compiled_once(text: str, null_safe: bool, timezone: str) -> CompiledExpression:
    names = Names(context_of(Scope(timezone=timezone), null_safe), {})
    return compile_in(text, names, null_safe)


def compile_in(text: str, names: Names, null_safe: bool) -> CompiledExpression:
    node = node_of(text, names)
    compiled = cast(CompiledExpression, compile_node(text, node, names, null_safe))
    compiled.text = text
    return compiled


def node_of(text: str, names: Names) -> Node:
    """The node of a text; in a lenient scope one that fails when it is evaluated, if need be."""
    found = parsed(text)
    if not found.errors or not names.lenient:
        return found.whole()
    error = found.errors[0]
    return Invalid(error.offset, error.length, error.message, error.hint)


def compile_node(
    text: str, node: Node, names: Names, null_safe: bool, local: Sequence[str] = ()
) -> Callable[..., Any]:
    """A function of the document and of the variables `local`."""
    changes = mutates(node, names)
    careful = functools.partial(_careful, text, node, names, null_safe, local)
    compiled = None
    if not changes:
        with suppress(TooDeepError):
            again = _again(text, node, names, null_safe, careful)
            compiled = _fast(text, node, names, null_safe, local, again)
    if compiled is None:
        function = careful()
        compiled = guarded(lambda: function)
    compiled.mutates = changes  # type: ignore[attr-defined]
    return compiled


def careful_later(
    text: str, node: Node, names: Names, null_safe: bool, target: str
) -> Callable[..., Any]:
    """The careful code of a mapping's row, for documents on which its fast code gives up."""
    careful = functools.partial(_careful, text, node, names, null_safe, ())
    return _again(text, node, names, null_safe, careful, target)


def _again(
    text: str,
    node: Node,
    names: Names,
    null_safe: bool,
    careful: Callable[[], Callable[..., Any]],
    target: str = "",
) -> Callable[..., Any]:
    """The careful code for documents on which the fast code gave up; it is not run if a field is
    missing that it would read first."""
    again = guarded(careful, target)
    read_first = None if null_safe else first_reads(text, node, names.constants, target)
    if read_first is None:
        return again

    def evaluate(document: Any, *arguments: Any) -> Any:
        read_first(document)
        return again(document, *arguments)

    return evaluate


def mutates(node: Node, names: Names) -> bool:
    """Whether it might change the document, so that it must not be evaluated twice."""
    return facts.mutates(node) or _calls_mutating_library(node, names)


def _calls_mutating_library(node: Node, names: Names) -> bool:
    uses = any(isinstance(inner, Name) and inner.name == "lib" for inner in node.walk())
    return uses and _holds_mutator(names.constants["lib"], 0)


def _holds_mutator(value: Any, depth: int) -> bool:
    if value.__class__ is Function:
        return bool(value.mutates)
    if value.__class__ is dict and depth < 10:
        return any(_holds_mutator(item, depth + 1) for item in value.values())
    return False


def _careful(
    text: str, node: Node, names: Names, null_safe: bool, local: Sequence[str]
) -> Callable[..., Any]:
    unit = Unit()
    emitter = Careful(unit, text, names, null_safe)
    body = emitted(emitter, node, local)
    return _function(unit, text, [ast.Return(body)], local)


def _fast(
    text: str,
    node: Node,
    names: Names,
    null_safe: bool,
    local: Sequence[str],
    careful: Callable[..., Any],
) -> Callable[..., Any]:
    unit = Unit()
    body = emitted(Fast(unit, text, names, null_safe), node, local)
    arguments = [load(DOCUMENT), *(load(f"local_{name}") for name in local)]
    again = ast.Return(unit.call(careful, *arguments))
    return _function(unit, text, [or_else(unit, ast.Return(body), again)], local)


def emitted(emitter: Careful, node: Node, local: Sequence[str]) -> ast.expr:
    emitter.variables = local
    emitter.locals = {name: f"local_{name}" for name in local}
    try:
        emitter.faults = faults_in(emitter.text, node, emitter.names, local)
        if emitter.faults and not emitter.names.lenient:
            raise ExpressionSyntaxError.of(emitter.faults.values())
        made = emitter.emit(node)
        if facts.may_multiply(node):
            made = emitter.call(bounded, made)
        return emitter.call(copied, made) if facts.reads_constants(node) else made
    except RecursionError:
        raise _too_deep(emitter.text) from None


def _function(
    unit: Unit, text: str, body: list[ast.stmt], local: Sequence[str]
) -> Callable[..., Any]:
    try:
        return unit.function(body, [DOCUMENT, *(f"local_{name}" for name in local)])
    except (RecursionError, MemoryError):
        raise _too_deep(text) from None


class TooDeepError(ExpressionSyntaxError):
    """Python's compiler refuses the code; careful code is less nested than fast code."""


def _too_deep(text: str) -> TooDeepError:
    return TooDeepError("the expression is nested too deeply", text)


def or_else(unit: Unit, attempt: ast.stmt, otherwise: ast.stmt, target: str = "") -> ast.Try:
    """`try: attempt; except Exception: otherwise`, but without a second attempt if time ran out."""
    given = [load("stopped"), *([ast.Constant(target)] if target else [])]
    error = ast.Raise(unit.call(located, *given), ast.Constant(None))
    handlers = [
        ast.ExceptHandler(unit.constant(TooSlowFailure), "stopped", [error]),
        ast.ExceptHandler(unit.constant(Exception), None, [otherwise]),
    ]
    return ast.Try([attempt], handlers, [], [])


def guarded(make: Callable[[], Callable[..., Any]], target: str = "") -> Callable[..., Any]:
    """What `make` builds, with whatever it raises turned into the user's error for the target.

    It is built on the first call: most expressions never need their careful code.
    """
    function: Callable[..., Any] | None = None

    def evaluate(*arguments: Any) -> Any:
        nonlocal function
        if function is None:
            function = make()
        restart()
        try:
            return function(*arguments)
        except ExpressionError as error:
            error.target = target
            raise
        except ALL_ERRORS as error:
            raise located(error, target) from None

    return evaluate


# --- the context of functions ---


def context_of(scope: Scope, null_safe: bool) -> Context:
    """The context of one compiled expression; it caches what `eval` and `jsonPath` compile."""

    @functools.lru_cache(_CACHED_TEXTS)
    def compiled(text: str) -> CompiledExpression:
        return compile_expression(text, null_safe=null_safe, scope=scope)

    @functools.lru_cache(_CACHED_TEXTS)
    def path(text: str) -> Path:
        return parse_path(text, scope, null_safe=null_safe)

    def evaluate(text: str, document: Any) -> Any:
        with CALL_DEPTH:
            return compiled(text)(document)

    def query(value: Any, text: str, options: Any) -> Any:
        with CALL_DEPTH:
            return _query(path(text), value, options, null_safe)

    return Context(scope, null_safe, evaluate, query)


def _query(path: Path, value: Any, options: Any, null_safe: bool) -> Any:
    try:
        return path.find(value)
    except Failure:
        if options.__class__ is dict and "defaultValue" in options:
            return options["defaultValue"]
        if null_safe:
            return None
        raise


# --- paths ---


def parse_path(
    text: str, scope: Scope | None = None, *, null_safe: bool = False, target: bool = False
) -> Path:
    """A path as the reference writes it: `$a.b`, `a`, `$['x y']`, `$list[(value.length)]`, `$`, ...

    Expressions inside the path see `value` (the element they are applied to), `key`, `$` and the
    parameters of `scope`. `jsonPath($, '...')` means the path in its quotes. A `target` is written
    to: in it a name ends at `.`, `[` or `(`. Raises ExpressionSyntaxError.
    """
    names = Names(context_of(scope or Scope(), null_safe), {})
    called = None if target else called_path(text)

    def embedded(start: int, end: int, use: Use) -> Callable[..., Any]:
        node = parse_part(path, start, end)
        if use != "value":
            node = as_condition(node)
        made = compile_node(path, node, names, null_safe and use != "search", PATH_VARIABLES)
        if not made.mutates:  # type: ignore[attr-defined]
            return made
        return lambda *arguments: made(*map(copied, arguments))  # a path changes nothing

    path = called.path if called else text
    try:
        return read_path(path, embedded, target)
    except ExpressionSyntaxError as error:
        raise called.error(error) if called else error from None
