"""An ultra task whose expressions keep its process busy for long: it stays responsive, and ends."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import Any

from tests.tasks.callers import in_background, metric, post
from tests.tasks.conftest import Serve, Served

HEAVY = """\
pipeline: Heavy
snaps:
  work:
    snap: Mapper
    mappings: {$content.sum: "sl.range(0, $content.n).map(n => n * n % 7).length"}
"""


def heavy(folder: Path, drain: str) -> str:
    (folder / "heavy.yaml").write_text(HEAVY)
    (folder / "heavy.task.yaml").write_text(
        f"name: heavy\ntype: ultra\npipeline: heavy.yaml\ntimeouts: {{drain: {drain}}}\n"
    )
    return "heavy.task.yaml"


def in_flight(served: Served) -> float:
    return metric(served, 'snapline_in_flight{task="heavy"}')


def ended(calls: list[Any]) -> int:
    return sum(not call.is_alive() for call in calls)


def health(served: Served) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_busy_instance_ends_when_the_time_for_requests_in_work_is_over(
    serve: Serve, tmp_path: Path
) -> None:
    served = serve(heavy(tmp_path, "0.5s"))
    calls = [in_background(post, served, "heavy", n=1_000_000) for _ in range(200)]
    served.wait_for(lambda: ended(calls) + in_flight(served) == len(calls))  # all are connected
    assert served.stop() == 0  # all of the requests would take minutes
    for call in calls:
        call.join()
    assert {call.result[0] for call in calls} <= {200, 503}
    assert 503 in [call.result[0] for call in calls]


def test_answers_leave_between_heavy_requests(serve: Serve, tmp_path: Path) -> None:
    served = serve(heavy(tmp_path, "30s"))

    def some_left_before_others() -> bool:
        calls = [in_background(post, served, "heavy", n=300_000) for _ in range(20)]
        served.wait_for(lambda: ended(calls) > 0)
        between = in_flight(served) > 0
        assert health(served) == 200
        assert post(served, "heavy", n=3)[0] == 200
        for call in calls:
            call.join()
        assert [call.result for call in calls] == [(200, {"sum": 300_000})] * 20
        return between

    assert any(some_left_before_others() for _ in range(10))  # one that is stopped sees no answer
