"""A network of its own for what listens on all interfaces, as Ray does; it has loopback only.

`python -m tests.cluster.namespaces COMMAND …` runs a command in one, if one can be made here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache


@cache
def refusal() -> str:
    """Why no such network can be made here; empty if one can."""
    for tool in ("unshare", "ip", "sh"):
        if shutil.which(tool) is None:
            return f"needs a network namespace, and there is no command '{tool}'"
    tried = subprocess.run(inside(["true"]), capture_output=True, text=True, check=False)
    why = tried.stderr.strip().splitlines()
    return "" if tried.returncode == 0 else f"cannot make a network namespace: {why[-1:]}"


def inside(command: list[str]) -> list[str]:
    """The command that runs this one in a new network with loopback only."""
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    up = 'ip link set lo up && exec "$@"'
    return ["unshare", "--net", *root, "sh", "-c", up, "sh", *command]


if __name__ == "__main__":
    wanted = sys.argv[1:]
    command = wanted if refusal() else inside(wanted)
    os.execvp(command[0], command)
