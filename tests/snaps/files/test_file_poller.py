from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError, SnapFailedError
from snaps.files import file_poller


def test_the_files_of_the_folder_that_match_are_found(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.xml", "a.xml", "a.txt", "sub/c.xml"):
        (tmp_path / name).touch()
    result = run_snap("FilePoller", {"directory": ".", "filter": "**.xml"})
    assert result.output == [{"path": str(tmp_path / name)} for name in ("a.xml", "b.xml")]


def test_each_look_finds_what_is_there_then(
    run_snap: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(lambda: (tmp_path / "b").touch())
    monkeypatch.setattr(file_poller, "monotonic", clock.now)
    monkeypatch.setattr(file_poller, "Event", lambda: clock)
    (tmp_path / "a").touch()
    settings = {"directory": ".", "polling_interval": 10, "polling_timeout": 20}
    found = [Path(item["path"]).name for item in run_snap("FilePoller", settings).output]
    assert found == ["a", "a", "b", "a", "b"]


class Clock:
    """Stands in for the time and for the event that ends the wait."""

    def __init__(self, meanwhile: Any) -> None:
        self._time = 0.0
        self._meanwhile = meanwhile

    def now(self) -> float:
        return self._time

    def wait(self, seconds: float) -> bool:
        self._time += seconds
        self._meanwhile()
        return False

    def set(self) -> None:
        """Nobody interrupts it."""


def test_each_document_starts_a_poll(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1").touch()
    (tmp_path / "b").mkdir()
    result = run_snap("FilePoller", {"directory": "= $d"}, [{"d": "a"}, {"d": "b"}])
    assert result.output == [{"path": str(tmp_path / "a" / "1")}]
    assert result.dropped == 1


def test_a_missing_folder_fails_its_document(run_snap: Any) -> None:
    with pytest.raises(SnapFailedError, match="the folder does not exist"):
        run_snap("FilePoller", {"directory": "nowhere"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"polling_interval": 0}, "polling_interval must be more than 0"),
        ({"polling_timeout": -2}, "polling_timeout must be 0 or more, or -1"),
    ],
)
def test_times_have_limits(run_snap: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        run_snap("FilePoller", {"directory": "."} | settings)
