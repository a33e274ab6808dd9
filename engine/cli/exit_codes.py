"""Exit codes of the commands, other than 0, 1 and 2 (see engine.cli)."""

STOPPED = 130
"""A signal stopped the command."""

BROKEN_PIPE = 141
"""The reader of the output has gone, as if SIGPIPE had ended the process."""
