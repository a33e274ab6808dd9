"""Serves the example tasks and lets schemathesis send requests of all kinds to them.

`python -m tests.fuzz.openapi SCHEMATHESIS [OPTION ...]`, where SCHEMATHESIS is its command. Exits
with 1 if a response has a 5xx status, or is not as the OpenAPI document says.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.tasks.conftest import servers

DESCRIBED = Path(__file__).parents[1] / "tasks" / "described"
TOKEN = "example"
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "404", "409", "422", "429"]
"""
"""422: it sends the same Idempotency-Key with several bodies."""


def main(command: str, *options: str) -> int:
    tasks = sorted(map(str, DESCRIBED.glob("*.task.yaml")))
    with tempfile.TemporaryDirectory() as name, servers(Path(name)) as serve:
        served = serve(*tasks, environment={"ORDERS_TOKEN": TOKEN})
        Path(name, "schemathesis.toml").write_text(CONFIGURATION)
        arguments = ["--header", f"Authorization: Bearer {TOKEN}", "--max-examples", "30"]
        process = [str(Path(command).absolute()), "run", f"{served.url}/openapi.json"]
        return subprocess.run([*process, *arguments, *options], cwd=name, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
