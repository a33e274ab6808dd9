"""What all tests share: hypothesis judges results, never how long a busy machine took."""

import signal

from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

# A shell that runs the tests in the background lets them ignore Ctrl-C, and all their children too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Processes that share the tests must agree on their names; compressed data holds the time."""
    return "bytes" if isinstance(val, bytes) else None
