"""Writing a batch whose documents cannot all be written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from engine.sdk import Batch, Context, DataError

Write = Callable[[Batch], Batch]
"""Returns the pieces for a batch. If a document cannot be written, it raises DataError, and nothing
is done."""


def written_in_parts(
    context: Context, output: str, write: Write, batch: Batch, error: DataError
) -> Iterator[Mapping[str, Batch]]:
    """Write the documents of a batch that can be written, halving it recursively.

    `error` is that of the whole batch. Documents before a failure are output first, since the
    failure may stop the pipeline.
    """
    if len(batch) == 1:
        context.failed(error, batch.items[0], batch.lineage_of(0))
        return
    middle = len(batch) // 2
    for half in (range(middle), range(middle, len(batch))):
        part = batch.at(half)
        try:
            written = write(part)
        except DataError as part_error:
            yield from written_in_parts(context, output, write, part, part_error)
        else:
            yield {output: written}
