"""The identity of a run is made once and is the same in every process that takes part."""

from __future__ import annotations

import asyncio
import pickle
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import ConfigurationError
from engine.plan.plan import Plan
from engine.registry import discover
from engine.run.identity import RunIdentity, identify
from engine.run.runner import run_plan
from engine.script.executor import Executor
from tests.run.flowing import Collecting

TEXT = """
parameters: {region: eu}
snaps:
  one:
    snap: Mapper
    mappings:
      $ruuid: pipe.ruuid
      $started: pipe.startTime.toString()
      $user: pipe.user
      $region: _region
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "pipeline.yaml").write_text(TEXT)
    return api.compile_plan(tmp_path / "pipeline.yaml")


def run(plan: Plan, identity: RunIdentity) -> list[Any]:
    collecting = Collecting()
    asyncio.run(run_plan(plan, discover(), identity, observer=collecting, scripts=Executor()))
    return [document for items in collecting.outputs.values() for document in items]


def test_every_process_that_takes_part_sees_the_same_run(plan: Plan) -> None:
    identity = identify(plan, {"region": "us"})
    elsewhere = pickle.loads(pickle.dumps(identity))
    assert run(plan, identity) == run(plan, elsewhere)
    assert run(plan, identity)[0]["ruuid"] == identity.ruuid
    assert run(plan, identity)[0]["region"] == "us"


def test_two_runs_have_two_identities(plan: Plan) -> None:
    assert identify(plan, {}).ruuid != identify(plan, {}).ruuid


def test_a_wrong_parameter_or_time_zone_is_refused_before_there_is_a_run(plan: Plan) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'region'"):
        identify(plan, {"regoin": "us"})
    with pytest.raises(ConfigurationError, match="no time zone `Mars`"):
        identify(plan, {}, timezone="Mars")
