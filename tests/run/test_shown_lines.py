"""The limit on the lines that a snap shows."""

from __future__ import annotations

from engine.run.shown_lines import BURST, RATE, ShownLines


class Watched:
    def __init__(self) -> None:
        self.now = 0.0
        self.lines: list[str] = []
        self.shown = ShownLines(self._show, lambda: self.now)

    def _show(self, text: str, request_id: str) -> None:
        self.lines.append(text)

    def print(self, count: int, size: int = 1023) -> None:
        for _ in range(count):
            self.shown.show("x" * size)

    @property
    def notes(self) -> list[str]:
        return [line for line in self.lines if line.startswith("…")]


def test_a_burst_within_the_limit_is_shown_to_the_last_line() -> None:
    watched = Watched()
    watched.print(BURST // 1024)
    watched.shown.end()
    assert len(watched.lines) == BURST // 1024
    assert watched.notes == []


def test_lines_beyond_the_limit_are_omitted_and_counted_at_the_end() -> None:
    watched = Watched()
    watched.print(BURST // 1024 + 1500)
    watched.shown.end()
    assert len(watched.lines) == BURST // 1024 + 2
    assert watched.notes == [
        "… output exceeds 64 KiB per second; omitting lines",
        "… 1,500 lines omitted (1,536,000 characters)",
    ]


def test_lines_are_shown_again_after_a_second_and_say_what_is_missing() -> None:
    watched = Watched()
    watched.print(BURST // 1024 + 7)
    watched.now = 1.0
    watched.print(RATE // 1024)
    assert watched.notes[-1] == "… 7 lines omitted (7,168 characters)"
    assert len(watched.lines) == BURST // 1024 + 2 + RATE // 1024


def test_an_endless_flood_is_held_to_the_rate() -> None:
    watched = Watched()
    for tenth in range(1, 101):
        watched.print(1000)
        watched.now = tenth / 10
    assert sum(map(len, watched.lines)) < BURST + 11 * RATE
    assert len(watched.notes) <= 22
