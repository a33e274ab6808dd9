"""Lines that all fail in the first snap after the parser, because they lack a field.

Lines with the same keys fail alike: in each, the same expression misses the same name. So after the
snap itself has failed one line, the error documents of the others are that one with another
`original`, which is the line as it came if the error view leads to a formatter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from engine.documents import Batch, Document, RawJson
from engine.expressions.compilation import context_of, parse_path
from engine.expressions.compiler.names import Names
from engine.expressions.first_reads import paths_read_first
from engine.expressions.parsed import parse
from engine.expressions.records import LineShape, Site, UnknownShapeError
from engine.expressions.scope import Scope
from engine.expressions.steps import EncodeJson, Keep, Make, Merge
from engine.numbers import may_hide_mistakes
from engine.plan.plan import Plan, Port
from engine.run.member import Member
from engine.sdk.json_reading import first_object
from engine.sdk.views import ERROR_VIEW


class _AnyObject(msgspec.Struct, gc=False):
    """To check that lines are valid JSON without keeping anything of them."""


class FailingLines:
    """The lines with the shape of one that failed; `template` is its error document."""

    def __init__(self, member: Member, shape: LineShape, template: Document | None) -> None:
        self._member = member
        self._shape = shape
        self._template = template
        self._decode = msgspec.json.Decoder(_AnyObject).decode

    def outputs(self, block: bytes) -> tuple[int, list[tuple[Port, Batch]]] | None:
        """The number of lines and what they lead to; None if one of them has another shape."""
        if not self._shape.covers(block) or may_hide_mistakes(block, numbers=False):
            return None
        lines = block.split(b"\n")[:-1]
        try:
            for line in lines:
                self._decode(line)
        except msgspec.DecodeError:
            return None
        count = len(lines)
        self._member.passed_failures(count)
        template = self._template
        if template is None:
            return count, []
        port = Port(self._member.plan.label, ERROR_VIEW.name)
        documents = [{**template, "original": RawJson(line, canonical=True)} for line in lines]
        return count, [(port, Batch(documents))]


def learned_failure(
    root: Site,
    members: Mapping[str, Member],
    plan: Plan,
    line: bytes,
    outputs: Iterable[tuple[Port, Batch]],
) -> FailingLines | None:
    """Lines like this one, which led to these outputs; None if they need not all fail."""
    (_, site), *others = root.branches
    if site is None or others or any(parameter.secret for parameter in plan.parameters):
        return None
    member = members[site.label]
    failed = [batch for port, batch in outputs if port.view == ERROR_VIEW.name and batch.items]
    sample = first_object(line)
    if sample is None or not _lacks_a_field(site, sample, member.context.scope):
        return None
    try:
        shape = LineShape(sample)
    except (UnknownShapeError, RecursionError, MemoryError):
        return None
    if member.plan.on_error == "discard":
        return FailingLines(member, shape, None)
    if len(failed) != 1 or not _is_only_encoded(plan, member.plan.label):
        return None
    (document,) = failed[0].items
    template = {name: value for name, value in document.items() if name != "original"}
    return FailingLines(member, shape, template)


def _is_only_encoded(plan: Plan, label: str) -> bool:
    """Whether a formatter, and nobody else, gets the error documents of a snap."""
    links = {link.source: link for link in plan.links}
    snaps = {snap.label: snap for snap in plan.snaps}
    source = Port(label, ERROR_VIEW.name)
    while (link := links.get(source)) is not None and not link.spills:
        snap = snaps[link.target.label]
        steps = [type(step) for step in snap.steps]
        if steps != [Merge]:
            return steps == [EncodeJson]
        source = Port(snap.label, snap.outputs[0].name)
    return False


def _lacks_a_field(site: Site, sample: Document, scope: Scope) -> bool:
    """Whether each document with the keys of the sample fails because a name is missing."""
    step = site.step
    if isinstance(step, Keep) and not step.null_safe:
        texts = [step.condition]
    elif isinstance(step, Make) and not step.null_safe:
        if any(parse_path(target, scope, target=True).names is None for target, _ in step.rows):
            return False
        texts = [text for _, text in step.rows]
    else:
        return False
    names = Names(context_of(scope, null_safe=False), {})
    for text in texts:
        paths, reads_only = paths_read_first(text, parse(text), names.constants)
        for path in paths:
            found = _find(sample, [name for name, _ in path])
            if found is not True:
                return found is False
        if not reads_only:
            return False
    return False


def _find(value: Any, names: Iterable[str]) -> bool | None:
    """Whether the path is there; None if it leads into something that is not an object."""
    for name in names:
        if value.__class__ is not dict:
            return None
        if name not in value:
            return False
        value = value[name]
    return True
