"""Runs the first snaps of a stage as one function over blocks of lines.

Whatever the function (engine.expressions.records) has no code for goes to the snaps themselves,
which are right by definition: the first line of a stream, a block with an odd line, lines that
reach a tap, everything if the steps cannot be fused. Results, their order and all counts are the
same either way. `SNAPLINE_PLAIN=1` forces the plain way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import NamedTuple

from engine.documents import Batch
from engine.expressions.failures import TooSlowFailure
from engine.expressions.records import OddError, Records, Site
from engine.expressions.steps import EncodeJson, Keep
from engine.plan.plan import Plan, Port
from engine.run.failing_lines import FailingLines, learned_failure
from engine.run.member import Member
from engine.run.outputs import PAUSE, Outputs
from engine.run.slices import SLICE_SECONDS
from engine.sdk.json_input import MAX_MARK_BYTES
from engine.sdk.json_reading import first_object
from engine.sdk.stream_snap import StreamSnap

MIN_BYTES = 16 * 1024
"""For less text, generating the function takes longer than it saves."""

BLOCK_BYTES = 128 * 1024
"""Lines are processed in blocks of at most about this size, several for each chunk of a file. A
block is smaller where an expression makes so much of a line that it takes long."""

_FIRST_BYTES = 4 * 1024
_HELD_BYTES = 256 * 1024
"""Results are held until they are so long, or until the chunk of the input has been processed."""

_FEW_LINES = 4
_ATTEMPTS = 2.5
"""How many times the size of a block may be tried before the rest of it is left to the snaps."""

_MAX_SKIPPED = 64
_MAX_SAMPLES = 5

_MANY_TAPPED, _TAPPED_BLOCKS = 0.02, 4
"""If a larger share of a block is for a tap, it and so many more go to the snaps at once."""

Plainly = Callable[[str, Batch], Outputs]


class Flow(NamedTuple):
    """How many documents came to a site, and how many it dropped."""

    site: Site
    entered: int
    dropped: int

    @property
    def left(self) -> int:
        """Documents that left through each view; what leaves a formatter are streams."""
        return 0 if isinstance(self.site.step, EncodeJson) else self.entered - self.dropped


class FusedRun:
    """The first members of a stage, from the parser on. `plainly` passes a batch to the parser."""

    def __init__(self, members: Sequence[Member], plan: Plan, plainly: Plainly) -> None:
        self._members = {member.plan.label: member for member in members}
        self._plan = plan
        self._plainly = plainly
        self._root = _site(plan, self._members, members[0].plan.label, "")
        self._exit = _exit_of(self._root)
        self._records: Records | None = None
        self._failing: FailingLines | None = None
        self._failures = 0
        self._samples = 0
        self._rest: list[bytes] = []
        self._is_first = True
        self._is_long = False
        self._fed = 0
        self._has_begun = False
        self._skip = self._penalty = 0
        self._ran_out_of_time = False
        """A regex did: each further attempt would wait for it again."""
        self._tapped = 0
        """Documents for a tap in what was tried last."""
        self._tapped_blocks = 0
        """Blocks that need not be tried, as many of their documents are for a tap."""
        self._size = _FIRST_BYTES

    def process(self, view: str, batch: Batch) -> Outputs:
        for piece in batch.items:
            if piece.__class__ is bytes:
                yield from _in_few_batches(self._take(view, piece), self._exit)
                continue
            if self._rest:
                text, self._rest = b"".join(self._rest), []
                if text:
                    yield from self._plain(view, text)
            yield from self._plainly(view, Batch([piece]))
            self._is_first = True
            self._fed = 0

    def _take(self, view: str, chunk: bytes) -> Outputs:
        """Process the complete lines of the text so far; the first line shows the others' shape."""
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._rest.append(chunk)
            return
        is_whole = cut == len(chunk) and not any(self._rest)
        text = chunk if is_whole else b"".join((*self._rest, memoryview(chunk)[:cut]))
        self._rest = [chunk[cut:]]
        self._is_long = len(text) >= MIN_BYTES
        start = 0
        if self._is_first:
            self._is_first = False
            start = text.index(b"\n") + 1
            yield from self._plain(view, text[:start])
        while start < len(text):
            left = len(text) - start
            even = left // max(1, round(left / min(self._size, BLOCK_BYTES)))
            end = text.rfind(b"\n", start, start + even) + 1
            end = end or text.index(b"\n", start) + 1
            yield from self._block(view, text[start:end])
            start = end

    def _block(self, view: str, block: bytes) -> Outputs:
        is_tapped = any(member.tapped for member in self._members.values())
        if is_tapped and self._tapped_blocks:
            self._tapped_blocks -= 1
            yield from self._plain(view, block)
            return
        failed = None
        if self._failing is not None and not is_tapped:
            failed = self._failed(self._failing, block)
        if failed is not None:
            yield from failed
            return
        if self._skip or not self._is_reading():
            self._skip = max(0, self._skip - 1)
            yield from self._plain_or_failing(view, block)
            return
        if self._records is None:
            self._learn(block)
        if self._records is None:
            yield from self._plain_or_failing(view, block)
            return
        self._ran_out_of_time = False
        if self._records.makes_text and not self._has_begun:
            made = self._fused(block)
            if made is not None:
                yield from made
                return
            start = 0
            while start < len(block) and not self._has_begun:
                end = _after_lines(block, start)
                yield from self._plain(view, block[start:end])
                start = end
            block = block[start:]
            if not block:
                if not self._has_begun:
                    self._adapt(0.0 if self._tapped else 1.0)
                return
        yield from self._in_parts(view, block)

    def _in_parts(self, view: str, block: bytes) -> Outputs:
        """Process a block; lines that are odd, or that reach a tap, are found by halving it."""
        waiting, plain_bytes = [block], 0
        left = -1 if self._ran_out_of_time else _ATTEMPTS * len(block)
        while waiting:
            part = waiting.pop()
            left -= len(part)
            self._tapped = 0
            outputs = None if left < 0 else self._fused(part)
            if outputs is not None:
                yield from outputs
                continue
            if self._ran_out_of_time or self._tapped_blocks:
                left = -1
            elif self._tapped:
                left += len(part)  # it is not odd
            middle = part.find(b"\n", len(part) // 2, -1) + 1
            if left >= 0 and middle and part.count(b"\n") > _FEW_LINES:
                waiting += (part[middle:], part[:middle])
            else:
                plain_bytes += 0 if self._tapped else len(part)
                yield from self._plain(view, part)
        self._adapt(plain_bytes / len(block))

    def _is_reading(self) -> bool:
        """Whether the parser has begun to read the stream, and has not given it up."""
        parser = self._members[self._root.label].snap
        return self._fed >= MAX_MARK_BYTES and isinstance(parser, StreamSnap) and parser.is_reading

    def _adapt(self, plain_share: float) -> None:
        """Where most lines are odd, try only now and then, and with another line as the sample."""
        if plain_share < 0.5:
            self._penalty = 0
            return
        self._penalty = min(2 * self._penalty or 1, _MAX_SKIPPED)
        self._skip = self._penalty
        self._records = None

    def _plain_or_failing(self, view: str, block: bytes) -> Outputs:
        """Process a block of a stream most of whose lines were odd; do they all fail alike?"""
        if self._failing is None and self._failures < _MAX_SAMPLES and self._is_reading():
            end = block.index(b"\n") + 1
            outputs = list(self._plain(view, block[:end]))
            yield from outputs
            self._failures += 1
            self._failing = learned_failure(
                self._root, self._members, self._plan, block[:end], outputs
            )
            block = block[end:]
        if block:
            yield from self._plain(view, block)

    def _failed(self, failing: FailingLines, block: bytes) -> list[tuple[Port, Batch]] | None:
        """The outputs for a block of lines that fail alike; None if there are others in it."""
        started = perf_counter()
        found = failing.outputs(block) if self._is_reading() else None
        if found is None:
            self._failing = None
            return None
        count, outputs = found
        self._size = BLOCK_BYTES
        parser = self._members[self._root.label]
        if isinstance(parser.snap, StreamSnap):
            parser.snap.read_elsewhere(count, len(block))
        parser.passed_out(self._root.branches[0][0], count)
        parser.statistics.seconds += perf_counter() - started
        return outputs or [PAUSE]

    def _plain(self, view: str, text: bytes) -> Outputs:
        self._fed += len(text)
        for port, batch in self._plainly(view, Batch([text])):
            if port == self._exit:
                self._has_begun = True
            yield port, batch

    def _fused(self, block: bytes) -> list[tuple[Port, Batch]] | None:
        """The outputs for the block; None if it is odd, if its text has to begin the stream of the
        formatter, which only the formatter can, or if a document reaches a tap."""
        assert self._records is not None
        started = perf_counter()
        self._tapped = 0
        try:
            result, count, dropped = self._records.process(block)
        except OddError as error:
            self._ran_out_of_time = isinstance(error.__cause__, TooSlowFailure)
            return None
        if self._records.makes_text:
            if result and not self._has_begun:
                return None
            result = [result] if result else []
        flows = list(_flows(self._root, count, iter(dropped)))
        self._tapped = self._reaching_taps(flows)
        if self._tapped:
            is_mostly_tapped = len(block) > _FIRST_BYTES / 2 and self._tapped > _MANY_TAPPED * count
            self._tapped_blocks = _TAPPED_BLOCKS if is_mostly_tapped else 0
            return None
        seconds = perf_counter() - started
        self._account(block, count, flows, seconds)
        in_time = int(len(block) * SLICE_SECONDS / seconds)
        self._size = max(1, min(2 * self._size, BLOCK_BYTES, in_time))
        return [(self._exit, Batch(result)) if result else PAUSE]

    def _learn(self, block: bytes) -> None:
        """Generate the function for documents like the first of the block."""
        if self._samples >= _MAX_SAMPLES or not self._is_long:
            return
        sample = first_object(block)
        if sample is None:
            self._samples += 1
            return
        scopes = {label: member.context.scope for label, member in self._members.items()}
        try:
            self._records = Records(self._root, scopes, sample)
        except Exception:  # noqa: BLE001  # unfusable or not: the plain way needs no function
            self._samples = _MAX_SAMPLES

    def _reaching_taps(self, flows: Iterable[Flow]) -> int:
        """The documents that reach the tapped view that most of them reach."""
        return max(
            flow.left if view in self._members[flow.site.label].tapped else 0
            for flow in flows
            for view, _ in flow.site.branches
        )

    def _account(self, block: bytes, count: int, flows: Iterable[Flow], seconds: float) -> None:
        """Count as if each snap had been called."""
        parser = self._members[self._root.label]
        if isinstance(parser.snap, StreamSnap):
            parser.snap.read_elsewhere(count, len(block))
        share = seconds / len(self._members)
        for member in self._members.values():
            member.statistics.seconds += share
        for flow in flows:
            member = self._members[flow.site.label]
            member.passed_in(flow.site.view, flow.entered)
            member.statistics.dropped += flow.dropped
            for view, _ in flow.site.branches:
                member.passed_out(view, flow.left)


def _in_few_batches(outputs: Outputs, exit_port: Port) -> Outputs:
    """The same outputs, but with consecutive texts of the exit in one batch.

    To pass on a batch takes as long as to process many lines.
    """
    texts: list[bytes] = []
    try:
        for port, batch in outputs:
            is_text = port == exit_port and batch.items[0].__class__ is bytes
            if is_text:
                texts += batch.items
            if texts and (not is_text or sum(map(len, texts)) > _HELD_BYTES):
                yield exit_port, Batch(texts)
                texts = []
            if not is_text:
                yield port, batch
    except Exception:  # raised again after what came before it
        if texts:
            yield exit_port, Batch(texts)
        raise
    if texts:
        yield exit_port, Batch(texts)


def _after_lines(text: bytes, start: int) -> int:
    """The end of the next few lines."""
    for _ in range(_FEW_LINES):
        start = text.find(b"\n", start) + 1 or len(text)
    return start


def _flows(site: Site, count: int, dropped: Iterator[int]) -> Iterator[Flow]:
    """What goes through a site and those behind it; `dropped` by each Keep, in their order."""
    flow = Flow(site, count, next(dropped) if isinstance(site.step, Keep) else 0)
    yield flow
    for _, following in site.branches:
        if following is not None:
            yield from _flows(following, flow.left, dropped)


def _site(plan: Plan, members: Mapping[str, Member], label: str, view: str) -> Site:
    """The steps of a snap and of all members behind it."""
    following = {link.source.view: link.target for link in plan.links if link.source.label == label}
    branches: list[tuple[str, Site | None]] = []
    for output in members[label].plan.outputs:
        target = following.get(output.name)
        inside = target is not None and target.label in members
        site = _site(plan, members, target.label, target.view) if target and inside else None
        branches.append((output.name, site))
    *before, last = members[label].plan.steps
    made = Site(label, "" if before else view, last, tuple(branches))
    for place in reversed(range(len(before))):
        made = Site(label, "" if place else view, before[place], (("", made),))
    return made


def _exit_of(site: Site) -> Port:
    """The port through which the run's results leave."""
    for view, following in site.branches:
        return Port(site.label, view) if following is None else _exit_of(following)
    raise AssertionError("a run has an exit")  # engine.plan.fusion sees to that
