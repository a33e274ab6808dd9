"""`engine preview --watch`: preview again whenever a file of the pipeline changes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence

from engine.cli.problems import print_problems
from engine.cli.watching import Watch, announce, needs_restart, say
from engine.errors import EngineError, InvalidPipelineError
from engine.preview import Changes, Preview, changes

Show = Callable[[Preview, Changes | None], None]
"""Shows a preview, and what is different from the one before (None: all)."""


def watch(
    run: Callable[[], Preview], show: Show, files: Collection[str], code: Collection[str]
) -> bool:
    """Show previews until Ctrl+C ends it; whether the process must restart instead.

    `files` are known from the start; a preview adds those that it read. `code` is that of snaps.
    """
    watched = Watch([*files, *code])
    last: Preview | None = None
    changed: Sequence[str] = ()
    try:
        while True:
            watched.begin()
            if changed:
                announce(changed)
            preview = _attempt(run, watched)
            if preview is not None:
                watched.add(preview.files)
                show(preview, None if last is None else changes(last, preview))
                last = preview
            elif last is not None:
                say("the preview could not start; what was shown last is still there")
            watched.announce()
            changed = watched.wait()
            if needs_restart(code, changed):
                return True
    except KeyboardInterrupt:
        return False


def _attempt(run: Callable[[], Preview], watched: Watch) -> Preview | None:
    """The preview; None if it could not start, which is shown."""
    try:
        return run()
    except InvalidPipelineError as error:
        print_problems(error.problems, sys.stderr)
        watched.add({problem.where.path for problem in error.problems})
    except EngineError as error:
        say(f"engine: {error}")
    return None
