"""Routes: which snap feeds which, as plain data on the plan."""

from __future__ import annotations

import pickle
from pathlib import Path

from engine import api
from engine.plan import Plan, Port
from engine.plan.plan import Stage, Target


def plan_of(folder: Path, text: str) -> Plan:
    file = folder / "pipeline.yaml"
    file.write_text(text)
    return api.compile_plan(file)


MODEL_BRANCH = """
snaps:
  read: {snap: FileReader, file: model.json}
  parse: {snap: JSONParser}
  ask: {snap: Filter, filter: 'true'}
  shape: {snap: Mapper, mappings: {$a: $a}}
  join: {snap: Union}
  predict: {snap: RemotePythonScript, source: 'def snaplogic_process(row): return row'}
links:
  - read -> parse -> join
  - ask -> shape -> join -> predict
"""


def test_a_port_leads_to_a_snap_of_its_own_stage_or_of_another(tmp_path: Path) -> None:
    routes = plan_of(tmp_path, MODEL_BRANCH).routes
    chain = Stage(("ask", "shape"))
    assert routes.inside(chain) == {Port("ask", "output"): Target(chain, 1, "input")}
    union = Stage(("join",))
    assert routes.leaving(chain) == {Port("shape", "output"): Target(union, 0, "input1")}


def test_each_stage_knows_what_feeds_its_views(tmp_path: Path) -> None:
    routes = plan_of(tmp_path, MODEL_BRANCH).routes
    fed = {
        (stage.labels[0], feed.view.name): feed.source
        for stage, feeds in routes.feeds.items()
        for feed in feeds
    }
    assert fed == {
        ("read", "input"): None,
        ("parse", "input"): Port("read", "output"),
        ("ask", "input"): None,
        ("join", "input0"): Port("parse", "output"),
        ("join", "input1"): Port("shape", "output"),
        ("predict", "input"): Port("join", "output"),
    }


def test_what_needs_no_request_comes_before_the_first_one(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, MODEL_BRANCH)
    prelude = plan.routes.prelude
    assert prelude is not None
    assert [stage.labels for stage in prelude.first] == [("read",), ("parse",)]
    assert [stage.labels for stage in prelude.then] == [("ask", "shape"), ("join",), ("predict",)]


def test_a_link_next_to_one_that_is_read_to_its_end_spills(tmp_path: Path) -> None:
    text = """
    snaps:
      both: {snap: Copy}
      run: {snap: RemotePythonScript}
    links: [both.output0 -> run.script, both.output1 -> run.input]
    """
    feeds = plan_of(tmp_path, text).routes.feeds[Stage(("run",))]
    assert {feed.view.name: feed.spills for feed in feeds} == {"script": False, "input": True}


def test_a_link_from_a_source_of_its_own_waits_instead_of_spilling(tmp_path: Path) -> None:
    text = """
    snaps:
      scripts: {snap: JSONGenerator, documents: [{content: pass}]}
      rows: {snap: JSONGenerator, documents: [{n: 1}]}
      copy: {snap: Copy}
      run: {snap: RemotePythonScript}
      sink: {snap: Mapper, mappings: {$n: $n}}
    links: [scripts -> run.script, rows -> copy -> run, copy -> sink]
    """
    feeds = plan_of(tmp_path, text).routes.feeds[Stage(("run",))]
    assert [feed.spills for feed in feeds] == [False, False]


def test_what_leads_to_a_disabled_snap_leads_nowhere(tmp_path: Path) -> None:
    text = """
    snaps:
      one: {snap: Mapper, mappings: {$a: 1}}
      off: {snap: Mapper, mappings: {$a: 1}, mode: disabled}
    links: [one -> off]
    """
    routes = plan_of(tmp_path, text).routes
    assert routes.targets == {}
    assert routes.linked == {}


def test_routes_come_through_pickling_unchanged(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, MODEL_BRANCH)
    assert pickle.loads(pickle.dumps(plan.routes)) == plan.routes
