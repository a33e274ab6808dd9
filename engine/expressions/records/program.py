"""Steps → one function over records: the code is generated twice, first to learn what is read."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from engine.expressions.compilation import context_of, parse_path
from engine.expressions.compiler import facts
from engine.expressions.compiler.names import Names
from engine.expressions.compiler.unit import Unit, load
from engine.expressions.records.emitter import assign, emit
from engine.expressions.records.leaves import Layout, value_at
from engine.expressions.records.state import (
    Elements,
    Incoming,
    Made,
    State,
    Steps,
    UnfusableError,
    again,
    overlap,
)
from engine.expressions.scope import Scope
from engine.expressions.steps import EncodeJson, Keep, Make, Step

MAX_SITES = 60
"""The limit on generated steps: what follows a Merge is generated once for each of its inputs."""

RECORD, LINE, DECODE = "record", "line", "decode"
OF_LINES = frozenset(("lines", "extended"))
"""The kinds of results that contain lines of the input."""

_RESULTS = "out", "heads", "dropped"


class OddError(Exception):
    """A record for which the function has no code."""


class Site(msgspec.Struct, frozen=True):
    """A step of a snap, entered through `view`, and where its output views lead.

    A branch to None leaves the run.
    """

    label: str
    view: str
    step: Step
    branches: tuple[tuple[str, Site | None], ...] = ()


class Program(msgspec.Struct):
    """The generated function and what it makes.

    `function(records, lines, decode)` returns the results, the lines that these extend, the lines
    that a Keep dropped (only where lines leave), and how many each Keep dropped, in the order of
    the sites. `decode` makes the second record of a line, if there is one. `kind` says what the
    results are: input lines as they are, structs, structs whose fields follow those of an input
    line, or dicts.
    `uncertain` are the attributes of results that might hold NaN.
    """

    function: Callable[[Any, Any, Any], tuple[Any, ...]]
    kind: str
    added: frozenset[str]
    uncertain: frozenset[str]


class Reads(msgspec.Struct):
    """The paths that are read of a record, each with whether it must exist, and the arrays of
    which only some fields of the elements are read."""

    paths: dict[Steps, bool] = {}
    lists: dict[Steps, set[str]] = {}

    def joined_with(self, other: Reads) -> Reads:
        """What either of them reads."""
        paths = {path: self.paths.get(path, False) or must for path, must in other.paths.items()}
        lists = {path: self.lists.get(path, set()) | names for path, names in other.lists.items()}
        return Reads(self.paths | paths, self.lists | lists)


class Generator:
    """Generates the code of one run over records of a `layout`; without one, it collects `reads`.

    `sample` is a document. With a `second` layout, the first record holds only what the filter at
    the beginning of the run reads, and the second record is made from a line that passes.
    With `splits`, what that filter reads is collected in `reads_of_filter`.
    """

    def __init__(
        self,
        scopes: Mapping[str, Scope],
        sample: Mapping[str, Any],
        layout: Layout | None = None,
        second: Layout | None = None,
        *,
        splits: bool = False,
    ) -> None:
        self.reads = Reads()
        self.reads_of_filter = Reads()
        self._splits = splits
        self._layout = layout
        self._second = second
        self._sample = sample
        self._scopes = scopes
        self._unit = Unit()
        self._loaded: dict[Steps, str] = {}
        self._guesses: dict[str, type] = {}
        self._computed: dict[str, str] = {}
        self._pending: list[ast.stmt] = []
        self._counters: list[str] = []
        self._kinds: set[str] = set()
        self._added: set[str] = set()
        self._uncertain: set[str] = set()
        self._unsure: set[str] = set()
        self._objects: set[Steps] = set()
        self._sites = 0

    def kind(self, root: Site) -> str:
        """The kind of the results, once all reads are collected. Raises UnfusableError."""
        self._body(root)
        return self._kind

    def program(self, root: Site) -> Program:
        """Raises UnfusableError."""
        body = self._body(root)
        layouts = [layout for layout in (self._layout, self._second) if layout is not None]
        leaves = [leaf for layout in layouts for leaf in layout.attributes]
        if not self._have_objects(leaves):
            raise UnfusableError("nothing shows that a target is inside an object")
        given = self._function(body, self._kind in OF_LINES or self._second is not None)
        return Program(given, self._kind, frozenset(self._added), frozenset(self._uncertain))

    def _body(self, root: Site) -> list[ast.stmt]:
        body = self._site(root, Incoming(self._leaf, self._element_fields))
        if len(self._kinds) > 1:
            raise UnfusableError("its outputs are of several kinds")
        return body

    @property
    def _kind(self) -> str:
        return next(iter(self._kinds), "documents")

    def _have_objects(self, leaves: Collection[Steps]) -> bool:
        """Whether each object that is written into is decoded as one, because a leaf is inside."""
        return all(
            any(len(leaf) > len(path) and leaf[: len(path)] == path for leaf in leaves)
            for path in self._objects
        )

    def _function(self, body: list[ast.stmt], with_lines: bool) -> Callable[[Any, Any, Any], Any]:
        start = [assign(name, ast.List([], ast.Load())) for name in _RESULTS]
        for name, result in zip(("append", "extend", "drop"), _RESULTS, strict=True):
            start.append(assign(name, ast.Attribute(load(result), "append", ast.Load())))
        start += [assign(counter, ast.Constant(0)) for counter in self._counters]
        target: ast.expr = ast.Name(RECORD, ast.Store())
        source: ast.expr = load("records")
        if with_lines:
            target = ast.Tuple([target, ast.Name(LINE, ast.Store())], ast.Store())
            source = self._unit.call(zip, source, load("lines"))
        loop = ast.For(target, source, body or [ast.Pass()], [], None)
        results = [load(name) for name in (*_RESULTS, *self._counters)]
        end = ast.Return(ast.Tuple(list(results), ast.Load()))
        return self._unit.function([*start, loop, end], ("records", "lines", DECODE))

    # --- sites ---

    def _site(self, site: Site, state: State) -> list[ast.stmt]:
        self._sites += 1
        if self._sites > MAX_SITES:
            raise UnfusableError("it is too large")
        if isinstance(site.step, Keep):
            return self._keep(site, site.step, state)
        if isinstance(site.step, Make):
            return self._make(site, site.step, state)
        if isinstance(site.step, EncodeJson):
            return self._encode(state)
        return self._branches(site, state)

    def _branches(self, site: Site, state: State) -> list[ast.stmt]:
        """The code of everything that follows; a variable of one branch is unknown in another."""
        body: list[ast.stmt] = []
        known = self._loaded, self._computed
        for _, following in site.branches:
            self._loaded, self._computed = dict(known[0]), dict(known[1])
            body += self._leave(state) if following is None else self._site(following, state)
        self._loaded, self._computed = known
        return body

    def _keep(self, site: Site, step: Keep, state: State) -> list[ast.stmt]:
        counter = f"dropped{len(self._counters)}"
        self._counters.append(counter)
        test, node = self._value(site, step.condition, step.null_safe, state)
        before = self._taken()
        kept = self._after_filter() if self._sites == 2 else []
        kept += self._branches(site, state)
        drop: list[ast.stmt] = [
            ast.AugAssign(ast.Name(counter, ast.Store()), ast.Add(), ast.Constant(1))
        ]
        if not self._kinds.isdisjoint(OF_LINES):
            drop.append(_call("drop", load(LINE)))
        kept = kept or [ast.Pass()]
        if facts.kind(node) == "boolean":
            return [*before, ast.If(test, kept, drop)]
        verdict = self._unit.new_name()
        is_false = ast.Compare(load(verdict), [ast.Is()], [ast.Constant(False)])
        odd = ast.Raise(self._unit.constant(OddError), None)
        other = ast.If(is_false, drop, [odd])
        is_true = ast.Compare(load(verdict), [ast.Is()], [ast.Constant(True)])
        return [*before, assign(verdict, test), ast.If(is_true, kept, [other])]

    def _after_filter(self) -> list[ast.stmt]:
        """Behind the filter that the run begins with, the code may read another record."""
        if self._layout is None and self._splits:
            self.reads_of_filter, self.reads = self.reads, Reads()
        if self._layout is None or self._second is None:
            return []
        for path in (*self._layout.elements, *self._second.attributes):
            self._loaded.pop(path, None)
        self._layout = self._second
        return [assign(RECORD, ast.Call(load(DECODE), [load(LINE)], []))]

    def _make(self, site: Site, step: Make, state: State) -> list[ast.stmt]:
        if step.pass_through and not step.rows:
            return self._branches(site, state)
        made = Made({}, None)
        if step.pass_through:
            made = state if isinstance(state, Made) else Made({}, state)
        statements: list[ast.stmt] = []
        written: set[Steps] = set()
        for target, text in step.rows:
            names = parse_path(target, self._scopes[site.label], target=True).names
            if not names or any(overlap(names, other) for other in written):
                raise UnfusableError(f"the target {target!r} is not a field of its own")
            written.add(names)
            if step.pass_through:
                self._objects.update(names[:size] for size in range(1, len(names)))
            value, node = self._value(site, text, step.null_safe, state)
            statements += self._taken()
            if isinstance(value, ast.Constant) and value.value.__class__ is float:
                raise UnfusableError("NaN and Infinity are only written with an error")
            if not isinstance(value, ast.Name | ast.Constant):
                name = self._unit.new_name()
                statements.append(assign(name, value))
                self._guesses[name] = getattr(value, "guess", object)
                if formula := getattr(value, "formula", ""):
                    self._computed[formula] = name
                if not facts.kind(node):
                    self._unsure.add(name)
                value = load(name)
            made = made.with_field(names, value)
        return statements + self._branches(site, made)

    def _encode(self, state: State) -> list[ast.stmt]:
        if isinstance(state, Made):
            if state.base is not None:
                self._kinds.add("extended")
                self._added |= set(state.fields)
                return [_call("extend", load(LINE)), _call("append", self._struct(state.fields))]
            self._kinds.add("structs")
            return [_call("append", self._struct(state.fields))]
        self._kinds.add("lines")
        return [_call("append", load(LINE))]

    def _leave(self, state: State) -> list[ast.stmt]:
        if not isinstance(state, Made):
            raise UnfusableError("the whole input document is used")
        self._kinds.add("documents")
        return [_call("append", state.display())]

    def _struct(self, fields: Mapping[str, Any], path: str = "") -> ast.expr:
        """The construction of a struct with these fields, which is encoded faster than a dict."""
        attributes = {f"f{number}": name for number, name in enumerate(fields)}
        values: list[ast.expr] = []
        for attribute, field in zip(attributes, fields.values(), strict=True):
            if isinstance(field, Made):
                if field.base is not None:
                    raise UnfusableError("an object of the input is used as a whole")
                values.append(self._struct(field.fields, f"{path}{attribute}."))
                continue
            if isinstance(field, ast.Name) and field.id in self._unsure:
                self._uncertain.add(path + attribute)
            values.append(again(field))
        try:
            made = msgspec.defstruct("Result", list(attributes), rename=attributes, gc=False)
        except ValueError:
            raise UnfusableError("a name of a field needs escapes") from None
        return ast.Call(self._unit.constant(made), values, [])

    # --- expressions ---

    def _value(self, site: Site, text: str, null_safe: bool, state: State) -> tuple[ast.expr, Any]:
        names = Names(context_of(self._scopes[site.label], null_safe), {})
        before, value, node = emit(
            text, self._unit, names, null_safe, state, self._guesses, self._computed
        )
        self._pending += before
        return value, node

    def _taken(self) -> list[ast.stmt]:
        taken, self._pending = self._pending, []
        return taken

    def _leaf(self, path: Steps, null_safe: bool) -> ast.expr | None:
        if self._layout is None:
            paths = self.reads.paths
            paths[path] = paths.get(path, False) or not null_safe
            return load(RECORD)
        if path in self._loaded:
            return load(self._loaded[path])
        if path not in self._layout.attributes:
            return None  # a shorter path leads to a leaf
        return self._loaded_leaf(path, self._layout.attributes[path])

    def _element_fields(self, path: Steps, fields: set[str]) -> Elements | None:
        if self._layout is None:
            self.reads.lists.setdefault(path, set()).update(fields)
            return Elements(load(RECORD), {name: name for name in fields}, {})
        if path not in self._layout.elements:
            return None
        leaf = self._loaded_leaf(path, self._layout.attributes[path])
        items = value_at(self._sample, path)
        first = items[0] if items.__class__ is list and items else {}
        sample = first if first.__class__ is dict else {}
        classes = {name: value.__class__ for name, value in sample.items()}
        return Elements(leaf, self._layout.elements[path], classes)

    def _loaded_leaf(self, path: Steps, attributes: tuple[str, ...]) -> ast.expr:
        if path not in self._loaded:
            found: ast.expr = load(RECORD)
            for attribute in attributes:
                found = ast.Attribute(found, attribute, ast.Load())
            name = self._loaded[path] = self._unit.new_name()
            self._guesses[name] = value_at(self._sample, path).__class__
            self._pending.append(assign(name, found))
        return load(self._loaded[path])


def _call(name: str, argument: ast.expr) -> ast.stmt:
    return ast.Expr(ast.Call(load(name), [argument], []))
