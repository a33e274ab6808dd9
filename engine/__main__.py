"""`python -m engine` and the console command `engine`."""

from __future__ import annotations

import gc
import os
import signal
import sys

_STOPPED = 130  # engine.cli.exit_codes may not be imported yet


def main() -> int:
    """Run the command line; Ctrl-C while it starts or ends is one word and no trace."""
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def begin() -> None:
        gc.freeze()  # otherwise, the first collection would look at all that was imported
        gc.enable()
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    if is_ours:
        signal.signal(signal.SIGINT, _stop_at_once)
    gc.disable()  # imports leave hardly any garbage; looking for it takes a twentieth of their time
    from engine.cli import main as run_command_line

    code = run_command_line(sys.argv[1:], begin)
    if is_ours:
        signal.signal(signal.SIGINT, _stop_at_once)
    return code


def _stop_at_once(*_: object) -> None:
    """Nothing is open yet, or any more, that would have to be closed."""
    os.write(2, b"stopped\n")
    os._exit(_STOPPED)


if __name__ == "__main__":
    sys.exit(main())
