"""Servers of benchmarks: started, reported when they do not start, and stopped."""

from __future__ import annotations

import sys

import pytest

from benchmarks.serving.process_tree import command_line, descendants
from benchmarks.serving.servers import ServerError, ServerProcess, rival

SERVER = """\
import http.server, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print(f"at http://127.0.0.1:{server.server_port}/", flush=True)
try:
    server.serve_forever()
finally:
    child.kill()
"""


def url_in(printed: str) -> str | None:
    return printed.split()[1] if "at http" in printed and printed.endswith("\n") else None


def test_the_address_is_the_one_that_the_server_prints() -> None:
    with ServerProcess(
        "files", [sys.executable, "-c", SERVER], url_in, "/pyproject.toml"
    ) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert len(descendants(server.pid)) == 2
        server.pause()

    assert not descendants(server.pid)


def test_what_a_server_leaves_behind_is_killed() -> None:
    careless = SERVER.replace("child.kill()", "pass")

    with ServerProcess(
        "careless", [sys.executable, "-c", careless], url_in, "/pyproject.toml"
    ) as server:
        [_, child] = descendants(server.pid)

    assert not command_line(child)


def test_a_server_that_ends_at_once_is_named_with_what_it_printed() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such model')"]

    with pytest.raises(ServerError, match=r"(?s)broken exited with code 1\n.*no such model"):
        rival("broken", command, "/", "/").__enter__()


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(ServerError, match=r"missing: .*no-such-command"):
        rival("missing", ["no-such-command"], "/", "/").__enter__()
