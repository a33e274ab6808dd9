"""Environments that several scripts share, and those that they do not."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from engine.sdk.scripts import ScriptFailure
from tests.script.conftest import Opened
from tests.script.environments import ENSURE, run
from tests.script.wheels import make_wheel

pytestmark = pytest.mark.usefixtures("wheels")


def test_scripts_share_an_environment_by_name(opened: Opened) -> None:
    run(opened, "'abacus', '1.0'", environment="digits")
    opened.lines.clear()
    assert run(opened, "'abacus'", environment="digits")["version"] == "1.0"
    assert run(opened, "'abacus'", environment="other")["version"] == "2.0"


def test_scripts_of_two_snaps_do_not_share_an_environment(opened: Opened) -> None:
    assert run(opened, "'abacus', '1.0'", owner="one")["version"] == "1.0"
    assert run(opened, "'abacus', '2.0'", owner="two")["version"] == "2.0"
    assert run(opened, "'abacus'", owner="one") == {"version": "1.0", "quiet": True}


@pytest.mark.parametrize("wish", ["'abacus', '2.0'", "'abacus==2.0'"])
def test_scripts_that_share_an_environment_must_need_the_same_version(
    opened: Opened, wish: str
) -> None:
    facts: dict[str, Any] = {"environment": "both", "requirements": ("abacus==1.0",)}
    opened("import abacus\n", owner="a in p.yaml", **facts).start()
    session = opened(ENSURE.format(arguments=wish), owner="b in p.yaml", environment="both")
    with pytest.raises(ScriptFailure) as caught:
        session.start()
    assert (
        "the environment 'both' is shared: a in p.yaml needs abacus 1.0, "
        "and b in p.yaml needs abacus 2.0 (scripts/x.py, line 3)"
    ) in caught.value.reason
    assert run(opened, "'abacus', '1.0.0'", owner="b in p.yaml", environment="both")["quiet"]


def test_what_others_need_binds_an_installation_into_a_shared_environment(
    opened: Opened, wheels: Path
) -> None:
    make_wheel(wheels, "counter", "1.0", needs="abacus>=2")
    opened("", owner="a", environment="both", requirements=("abacus<2",)).start()
    session = opened("", owner="b", environment="both", requirements=("counter",))
    with pytest.raises(ScriptFailure, match="pip could not install counter") as caught:
        session.start()
    assert "other scripts share this environment and need: abacus<2 (a)" in caught.value.resolution
    assert run(opened, "'abacus'", owner="a", environment="both")["version"] == "1.0"


def test_a_script_may_change_its_own_version_in_a_shared_environment(opened: Opened) -> None:
    assert run(opened, "'abacus', '1.0'", owner="a", environment="both")["version"] == "1.0"
    assert run(opened, "'abacus', '2.0'", owner="a", environment="both")["version"] == "2.0"
    assert run(opened, "'abacus', '2.0'", owner="b", environment="both")["quiet"]


def test_two_scripts_that_start_at_once_share_one_installation(opened: Opened) -> None:
    sessions = [opened(ENSURE.format(arguments="'abacus'")) for _ in range(3)]
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda s=session: found.extend(s.start())) for session in sessions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [document["version"] for document in found] == ["2.0"] * 3
    assert sum(line.startswith("installed abacus") for line in opened.lines) == 1
