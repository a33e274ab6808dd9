"""A request that fails can be followed by its id, from the caller's answer to the script's line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.tasks.collecting import collecting
from tests.tasks.conftest import servers
from tests.tasks.wire import ask

SCRIPT = """\
def snaplogic_process(row):
    number = row["content"]["number"]
    print("looking at", number)
    return {"content": 100 / number}
"""


def complete_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.rpartition("\n")[0].splitlines()]


def test_from_the_answer_to_the_line_of_the_script(tmp_path: Path) -> None:
    (tmp_path / "divide.py").write_text(SCRIPT)
    (tmp_path / "divide.yaml").write_text(
        "snaps: {divide: {snap: RemotePythonScript, script: divide.py}}\n"
    )
    (tmp_path / "routed.yaml").write_text(
        "snaps:\n"
        "  divide: {snap: RemotePythonScript, script: divide.py, on_error: route}\n"
        "  reply:\n    snap: Mapper\n    mappings:\n      $content.document: $\n"
        "links: [divide.error -> reply]\n"
    )
    with collecting() as collector, servers(tmp_path) as serve:
        access = tmp_path / "access.log"
        served = serve(
            "divide.yaml",
            "routed.yaml",
            *("--log-format", "json", "--access-log", access),
            environment=collector.environment,
        )

        def post(task: str, number: int) -> tuple[int, str, dict[str, object]]:
            body = json.dumps({"number": number}).encode()
            reply = ask(served.port, "POST", f"/tasks/{task}", (), body)
            return reply.status, reply.header("x-request-id")[0], reply.json

        others = [post("divide", number) for number in (1, 2, 4)]
        status, request, answer = post("divide", 0)
        assert [each[0] for each in others] == [200] * 3

        # the caller's answer
        assert status == 500
        assert answer["request_id"] == request
        assert "ZeroDivisionError" in str(answer["reason"])

        # the log: what the script printed, and where it failed
        def lines() -> list[dict[str, Any]]:
            entries = complete_lines(served.stderr)
            return [entry for entry in entries if entry.get("request_id") == request]

        def texts() -> str:
            return "\n".join(line["message"] for line in lines())

        served.wait_for(lambda: "request failed" in texts() and "looking at 0" in texts())
        assert 'File "divide.py", line 4, in snaplogic_process' in texts()
        assert "looking at 1" not in texts()
        failed = next(line for line in lines() if "request failed" in line["message"])
        assert (failed["task"], failed["snap"], failed["instance"]) == ("divide", "divide", 1)

        # the access log
        served.wait_for(lambda: f'"{request}"' in access.read_text().rpartition("\n")[0])
        entries = complete_lines(access.read_text())
        (entry,) = [each for each in entries if each["request_id"] == request]
        assert (entry["status"], entry["task"]) == (500, "divide")
        assert entry["work_milliseconds"] > 0

        # the trace
        served.wait_for(lambda: {"queue", "snap divide"} <= collector.of(request).keys())
        spans = collector.of(request)
        assert spans["POST /tasks/divide"].facts["snapline.request_id"] == request
        assert "ZeroDivisionError" in spans["snap divide"].error

        # the error document
        status, request, answer = post("routed", 0)
        document = answer["document"]
        assert isinstance(document, dict)
        assert document["request_id"] == request
        assert 'File "divide.py", line 4, in snaplogic_process' in document["stacktrace"]
