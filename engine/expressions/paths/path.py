"""A parsed path: it finds, writes and deletes values.

Writing and deleting copy the containers on the way and leave the input document unchanged.
The `root` that methods take is what `$` means in the expressions of the path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

from engine.errors import EvaluationError
from engine.expressions.failures import AbsentFailure, Failure
from engine.expressions.limits import check_elements, restart
from engine.expressions.paths import steps
from engine.expressions.paths.deletion import Marker, Marks, Owned, without
from engine.expressions.paths.reading import Compile, Reader
from engine.expressions.suggestions import did_you_mean
from engine.expressions.values import MISSING, kind_of

FAILURES = (Failure, RecursionError)
_NOTHING: Any = object()
Trail = tuple[tuple[Any, ...], Any]
"""The containers on the way to a value, from the outermost one, and the value."""
_MAX_NEW_ELEMENTS = 10_000


def read_path(text: str, compile_embedded: Compile, target: bool = False) -> Path:
    """The path in `text`; raises ExpressionSyntaxError."""
    return Path(text, tuple(Reader(text, compile_embedded, target).all_steps()))


class Path:
    """A path. `get`, `query`, `set` and `delete` raise errors that quote the user's text;
    `find`, `write`, `remove` and `map` raise a bare `Failure`, to which callers add the place.
    """

    __slots__ = ("names", "steps", "text")

    def __init__(self, text: str, found: tuple[steps.Step, ...]) -> None:
        self.text = text
        self.steps = found
        plain = all(isinstance(step, steps.Child) for step in found)
        self.names = (
            tuple(step.name for step in found if isinstance(step, steps.Child)) if plain else None
        )

    @property
    def is_root(self) -> bool:
        return not self.steps

    @property
    def is_definite(self) -> bool:
        """Whether it names one place (or computes one value)."""
        return _definite(self.steps)

    # --- reading ---

    def find(self, document: Any) -> Any:
        """The value of a definite path, or the array of values of an indefinite one."""
        values, definite = [document], True
        for number, step in enumerate(self.steps):
            if isinstance(step, steps.Method):
                values, definite = [self._apply(step, values, definite, document)], True
            elif definite and step.definite:
                values = [self._one(step, values[0], document)]
            else:
                self._check_container(step, values, definite)
                values = list(self._several(number, step, values, document))
                definite = False
        return values[0] if definite else values

    def get(self, document: Any, default: Any = MISSING) -> Any:
        """The value (an array for an indefinite path); `default` if there is none.

        Raises EvaluationError if there is no value and no default.
        """
        if self.names is not None:
            found = document
            for name in self.names:
                if found.__class__ is not dict or name not in found:
                    break
                found = found[name]
            else:
                return found
        restart()
        try:
            return self.find(document)
        except FAILURES as failure:
            if default is MISSING or isinstance(failure, RecursionError):
                raise self.error(failure) from None
            return default

    def query(self, document: Any) -> list[Any]:
        """All values, possibly none."""
        found = self.get(document, _NOTHING)
        if found is _NOTHING:
            return []
        return [found] if self.is_definite else list(found)

    def trails(self, document: Any) -> list[Trail]:
        """Every value that is there, with the containers on the way to it: one for each step.

        What a path with a method computes has the document alone.
        """
        if self.names is not None:
            way, value = [], document
            for name in self.names:
                if value.__class__ is not dict or name not in value:
                    return []
                way.append(value)
                value = value[name]
            return [(tuple(way), value)]
        if any(isinstance(step, steps.Method) for step in self.steps):
            return [((document,), value) for value in self.query(document)]
        restart()
        try:
            found: list[Trail] = [((), document)]
            for number, step in enumerate(self.steps):
                found = [
                    ((*way, value), inner)
                    for way, value in found
                    for inner in self._several(number, step, [value], document)
                ]
        except FAILURES as failure:
            raise self.error(failure) from None
        return found

    def shared_steps(self, other: Self) -> int:
        """How many steps at their beginning are the same in both."""
        pairs = enumerate(zip(self.steps, other.steps, strict=False))
        least = min(len(self.steps), len(other.steps))
        return next((number for number, (mine, its) in pairs if mine != its), least)

    def onward(self, number: int) -> Self:
        """The path without its first steps, for the value to which they lead."""
        return type(self)(self.text, self.steps[number:])

    def error(self, failure: Failure | RecursionError, prefix: str = "") -> EvaluationError:
        if isinstance(failure, RecursionError):
            failure = Failure(f"the document is nested too deeply for `{self.text}`")
        message, hint = failure.shown(self.text)
        return EvaluationError(prefix + message, self.text, 0, len(self.text), hint)

    def _apply(self, step: steps.Method, values: list[Any], definite: bool, root: Any) -> Any:
        value = values[0] if definite else values
        evaluators = [
            lambda item, key, expression=expression: expression(root, item, key)
            for expression in step.arguments
        ]
        return step.apply(value, *evaluators)

    def _one(self, step: steps.Step, container: Any, root: Any) -> Any:
        assert not isinstance(step, steps.Descend | steps.Method)
        for key in step.keys(container, root):
            return _at(container, key)
        raise self._nothing(step, container)

    def _nothing(self, step: steps.Step, container: Any) -> Failure:
        what, hint = _name_of(step), ""
        if container is None:
            return Failure(f"the path `{self.text}` finds nothing: null has no {what}")
        if isinstance(step, steps.Child) and container.__class__ is dict:
            hint = did_you_mean(step.name, container)
        if isinstance(step, steps.Child) and container.__class__ is list:
            hint = f"to take it from all elements, write [*] before .{step.name}"
        if isinstance(step, steps.Child) and step.name == "length":
            hint = "in a path, write `.length()` for the number of elements"
        return Failure(
            f"the path `{self.text}` finds nothing: {kind_of(container)} has no {what}", hint
        )

    def _check_container(self, step: steps.Step, values: list[Any], definite: bool) -> None:
        if definite and values[0] is None:
            raise Failure(f"the path `{self.text}` finds nothing: it goes through null")

    def _several(
        self, number: int, step: steps.Step, values: list[Any], root: Any
    ) -> Iterator[Any]:
        if isinstance(step, steps.Descend):
            for value in values:
                yield from steps.descendants(value)
            return
        assert not isinstance(step, steps.Method)
        for value in values:
            if value.__class__ is dict or value.__class__ is list:
                yield from (_at(value, key) for key in step.keys(value, root))

    # --- writing ---

    def set(self, document: Any, value: Any) -> Any:
        """A document with `value` at the path."""
        restart()
        try:
            return self.write(document, value, {}, document)
        except FAILURES as failure:
            raise self.error(failure) from None

    def write(self, document: Any, value: Any, owned: Owned, root: Any) -> Any:
        return self._change(document, 0, root, owned, lambda container, key: value)

    def delete(self, document: Any) -> Any:
        """A document without the values at the path; an error if a definite path finds nothing."""
        restart()
        try:
            return self.remove(document, {}, document, must_be_there=True)
        except FAILURES as failure:
            raise self.error(failure) from None

    def remove(self, document: Any, owned: Owned, root: Any, must_be_there: bool) -> Any:
        if not self.steps:
            raise Failure("the document itself cannot be deleted")
        marks: Marks = {}
        try:
            Marker(self.text, self.steps, root).mark(document, 0, marks)
        except AbsentFailure:
            if must_be_there:
                raise
            return document
        return without(document, marks, owned)

    def map(self, document: Any, change: Callable[[Any], Any], owned: Owned) -> Any:
        """A document with `change` applied to every value at the path."""
        return self._change(
            document,
            0,
            document,
            owned,
            lambda container, key: change(container[key]),
            create=False,
        )

    def _change(
        self,
        container: Any,
        number: int,
        root: Any,
        owned: Owned,
        make: Callable[[Any, Any], Any],
        create: bool = True,
    ) -> Any:
        """`container`, or a copy, in which the values at the rest of the path are `make(..)`."""
        if number == len(self.steps):
            return make([container], 0)
        step = self.steps[number]
        if isinstance(step, steps.Method):
            raise Failure(f"`{self.text}` is computed by `.{step.name}()` and cannot be written to")
        if isinstance(step, steps.Descend):
            return self._change_below(container, number + 1, root, owned, make)
        keys = self._keys(step, container, root, create)
        if not keys and (step.definite and not create):
            raise self._nothing(step, container)
        if not keys:
            return container
        copy = self._own(container, keys, owned)
        for key in keys:
            inner = _at(copy, key)
            changed = self._change(inner, number + 1, root, owned, make, create)
            _place(copy, key, changed)
        return copy

    def _change_below(
        self, container: Any, number: int, root: Any, owned: Owned, make: Callable[[Any, Any], Any]
    ) -> Any:
        if container.__class__ not in (dict, list):
            return container
        keys = list(steps.all_keys(container))
        copy = self._own(container, keys, owned)
        for key in keys:
            copy[key] = self._change_below(copy[key], number, root, owned, make)
        if self._has(copy, number, root):
            return self._change(copy, number, root, owned, make, create=False)
        return copy

    def _has(self, container: Any, number: int, root: Any) -> bool:
        step = self.steps[number]
        assert not isinstance(step, steps.Descend | steps.Method)
        return any(True for _ in step.keys(container, root))

    def _keys(self, step: Any, container: Any, root: Any, create: bool) -> list[Any]:
        if not create or not step.definite:
            return list(step.keys(container, root))
        if isinstance(step, steps.Child):
            return [step.name]
        key = step.key(container, root) if isinstance(step, steps.Computed) else step.index
        if isinstance(key, int) and key < 0:
            key += len(container) if container.__class__ is list else 0
            if key < 0:
                raise Failure(f"`{self.text}` writes before the first element")
        return [str(key) if container.__class__ is dict else key]

    def _own(self, container: Any, keys: list[Any], owned: Owned) -> Any:
        """A private copy of `container`; a new one instead of null."""
        if id(container) in owned:
            return container
        by_name = any(isinstance(key, str) for key in keys)
        if container is None or container is MISSING:
            copy: Any = {} if by_name else []
        elif container.__class__ is dict:
            copy = dict(container)
        elif container.__class__ is list and not by_name:
            copy = list(container)
        else:
            shown = ", ".join(f"`{key}`" for key in keys[:3])
            raise Failure(
                f"`{self.text}` cannot be written: {kind_of(container)} cannot hold {shown}"
            )
        owned[id(copy)] = copy
        return copy


def _definite(found: tuple[steps.Step, ...]) -> bool:
    last = max((i for i, step in enumerate(found) if isinstance(step, steps.Method)), default=-1)
    return all(step.definite for step in found[last + 1 :])


def _name_of(step: steps.Step) -> str:
    if isinstance(step, steps.Child):
        return f"`{step.name}`"
    if isinstance(step, steps.Position):
        return f"element {step.index}"
    return "such element"


def _at(container: Any, key: Any) -> Any:
    """The value there, or null."""
    if container.__class__ is dict:
        return container.get(key)
    return container[key] if key < len(container) else None


def _place(container: Any, key: Any, value: Any) -> None:
    """Puts `value` there; a list is padded with nulls to reach a place beyond its end."""
    if container.__class__ is list and key >= len(container):
        if key - len(container) > _MAX_NEW_ELEMENTS:
            raise Failure(f"the place {key} is too far beyond the end of the array")
        check_elements(key)
        container.extend([None] * (key - len(container) + 1))
    container[key] = value
