"""Rate limits: how many requests an address or a token may send."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.tasks.definition.rate import Rate, parse_rate
from engine.tasks.front import rate_limit
from engine.tasks.front.rate_limit import RateLimit
from tests.tasks.conftest import Serve
from tests.tasks.task_files import LEAST, problem_in, task_of
from tests.tasks.wire import ask


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def limited(rate: str) -> tuple[RateLimit, Clock]:
    clock = Clock()
    return RateLimit(parse_rate(rate), "address", clock), clock


def test_requests_beyond_the_rate_wait_as_long_as_the_response_says() -> None:
    limit, clock = limited("2/m")
    assert limit.refusal("a") is None
    assert limit.refusal("a") is None
    reply = limit.refusal("a")
    assert reply is not None
    assert reply.status == 429
    assert ("retry-after", "30") in reply.headers
    assert b"at most 2 requests a minute are allowed from one address" in bytes(reply.body)  # type: ignore[arg-type]
    clock.now += 29
    assert limit.refusal("a") is not None
    clock.now += 1
    assert limit.refusal("a") is None
    assert limit.refusal("a") is not None


def test_a_quiet_caller_saves_no_more_than_the_rate() -> None:
    limit, clock = limited("2/s")
    clock.now += 3600
    assert [limit.refusal("a") is None for _ in range(3)] == [True, True, False]


def test_each_caller_has_a_limit_of_its_own() -> None:
    limit, _ = limited("1/h")
    assert [limit.refusal(caller) is None for caller in "abab"] == [True, True, False, False]


def test_callers_that_were_not_seen_for_longest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_limit, "MAX_CALLERS", 2)
    limit, _ = limited("1/h")
    calls = [limit.refusal(caller) is None for caller in "abacab"]
    assert calls == [True, True, False, True, False, True]


def test_a_task_file_gives_the_rates() -> None:
    task = task_of(LEAST + "limits: {rate_per_address: 10/s}\n")
    assert task.limits.rate_per_address == Rate(10, 1)
    assert task.limits.rate_per_token is None


@pytest.mark.parametrize("text", ["10x", "0/s", "-1/s", "1.5/s", "10/w", "s/10", "''"])
def test_anything_else_than_a_rate_is_named(text: str) -> None:
    problem = problem_in(LEAST + f"limits: {{rate_per_address: {text}}}\n")
    assert "is not a rate" in problem
    assert "write requests per s, m, h or d" in problem


def test_a_rate_per_token_needs_a_token() -> None:
    problem = problem_in(LEAST + "limits: {rate_per_token: 10/s}\n")
    assert "'rate_per_token' does nothing without a 'bearer_token'" in problem


def test_callers_of_a_server_are_limited(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text("snaps: {echo: {snap: Mapper, mappings: {$content: $}}}")
    limits = "limits: {rate_per_address: 4/h, rate_per_token: 2/h}"
    for name in ("one", "other"):
        text = f"type: ultra\npipeline: echo.yaml\nbearer_token: '${{env:TOKEN}}'\n{limits}\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    served = serve("one.yaml", "other.yaml", environment={"TOKEN": "t"})
    token = [("Authorization", "Bearer t")]
    statuses = [
        ask(served.port, "GET", f"/tasks/{task}", headers).status
        for task, headers in (
            *[("one", token)] * 3,
            ("one", []),
            ("one", []),
            ("other", token),
        )
    ]
    assert statuses == [200, 200, 429, 401, 429, 200]
