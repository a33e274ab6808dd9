from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import InvalidPipelineError, SnapFailedError
from engine.run import call_tree
from tests.http_server import Reply, serving

Documents = list[dict[str, Any]]


def write(project: Path, **pipelines: str) -> None:
    for name, text in pipelines.items():
        (project / f"{name}.yaml").write_text(text)


def run(project: Path, settings: str, given: Documents, more: str = "") -> Documents:
    """What leaves a pipeline of one PipelineExecute with these settings."""
    (project / "parent.yaml").write_text(
        f"snaps:\n  call: {{snap: PipelineExecute, {settings}}}\n{more}"
    )
    report = api.run(project / "parent.yaml", inputs={"call": given})
    return list(report.outputs.get("call.output", []))


TENFOLD = "snaps:\n  times: {snap: Mapper, mappings: {$n: $n * 10}}\n"
CLOSED = "snaps:\n  none: {snap: Mapper, mappings: {$n: $n}, open_output: false}\n"
FAILING = "snaps:\n  part: {snap: Mapper, mappings: {$n: 10 / $n.half}}\n"


def test_each_result_carries_the_document_for_which_it_was_made(tmp_path: Path) -> None:
    write(tmp_path, tenfold=TENFOLD)
    results = run(tmp_path, "pipeline: tenfold", [{"n": n} for n in range(100)])
    assert results == [{"n": n * 10, "original": {"n": n}} for n in range(100)]


def test_the_runs_of_a_pool_give_the_same_results_in_any_order(tmp_path: Path) -> None:
    write(tmp_path, tenfold=TENFOLD)
    results = run(tmp_path, "pipeline: tenfold, pool_size: 4", [{"n": n} for n in range(100)])
    assert sorted(results, key=lambda each: each["n"]) == [
        {"n": n * 10, "original": {"n": n}} for n in range(100)
    ]


def test_a_batch_has_one_run_and_its_results_the_whole_batch(tmp_path: Path) -> None:
    write(tmp_path, head="snaps:\n  one: {snap: Mapper, mappings: {$run: pipe.ruuid, $n: $n}}\n")
    results = run(tmp_path, "pipeline: head, batch_size: 2", [{"n": n} for n in range(3)])
    assert [each["original"] for each in results] == [
        [{"n": 0}, {"n": 1}],
        [{"n": 0}, {"n": 1}],
        [{"n": 2}],
    ]
    assert len({each["run"] for each in results}) == 2


def test_documents_stream_through_a_reused_run(tmp_path: Path) -> None:
    write(tmp_path, own="snaps:\n  own: {snap: Mapper, mappings: {$run: pipe.ruuid, $n: $n}}\n")
    results = run(tmp_path, "pipeline: own, reuse: true", [{"n": n} for n in range(300)])
    assert [each["n"] for each in results] == list(range(300))
    assert len({each["run"] for each in results}) == 1


def test_a_pipeline_without_an_open_input_cannot_be_reused(tmp_path: Path) -> None:
    write(tmp_path, made="snaps:\n  made: {snap: JSONGenerator, documents: {n: 1}}\n")
    reason = "it has no open input, so documents cannot stream through it; set reuse to false"
    with pytest.raises(SnapFailedError, match=f"could not run the pipeline 'made': {reason}"):
        run(tmp_path, "pipeline: made, reuse: true", [{"n": 1}])


def test_reused_runs_of_a_pool_share_the_documents(tmp_path: Path) -> None:
    write(tmp_path, own="snaps:\n  own: {snap: Mapper, mappings: {$run: pipe.ruuid, $n: $n}}\n")
    given = [{"n": n} for n in range(300)]
    results = run(tmp_path, "pipeline: own, reuse: true, pool_size: 3", given)
    assert sorted(each["n"] for each in results) == list(range(300))
    assert len({each["run"] for each in results}) == 3


def test_a_pipeline_without_an_open_output_says_how_each_run_ended(tmp_path: Path) -> None:
    write(tmp_path, closed=CLOSED)
    (result,) = run(tmp_path, "pipeline: closed", [{"n": 1}])
    assert list(result) == ["run_id", "state", "original"]
    assert (result["state"], result["original"]) == ("COMPLETED", {"n": 1})


def test_a_document_only_feeds_the_parameters_of_a_pipeline_without_an_open_input(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        make="parameters: {what: {}, list: {}}\nsnaps:\n  made:\n    snap: JSONGenerator\n"
        '    text: \'[{"what": $_what, "list": $_list}]\'\n',
    )
    results = run(
        tmp_path, "pipeline: make, parameters: {what: = $a, list: = $b}", [{"a": "x", "b": [1, 2]}]
    )
    assert [(each["what"], each["list"]) for each in results] == [("x", "[1,2]")]


def test_a_filtered_document_is_dropped_not_lost(tmp_path: Path) -> None:
    write(tmp_path, none="snaps:\n  none: {snap: Filter, filter: $n > 1}\n")
    (tmp_path / "parent.yaml").write_text("snaps: {call: {snap: PipelineExecute, pipeline: none}}")
    report = api.run(tmp_path / "parent.yaml", inputs={"call": [{"n": 1}, {"n": 2}]})
    assert (report.snaps[0].documents_out, report.snaps[0].dropped) == (1, 1)


def test_a_run_that_fails_is_an_error_of_its_document(tmp_path: Path) -> None:
    write(tmp_path, part=FAILING)
    given: Documents = [{"n": {"half": 5}}, {"n": 1}, {"n": {"half": 2}}]
    settings = "pipeline: part, on_error: route"
    errors = (
        "  keep: {snap: Mapper, mappings: {$error: $error, $reason: $reason, $of: $original}}\n"
    )
    (tmp_path / "parent.yaml").write_text(
        f"snaps:\n  call: {{snap: PipelineExecute, {settings}}}\n{errors}"
        "links: [call.error -> keep]\n"
    )
    report = api.run(tmp_path / "parent.yaml", inputs={"call": given})
    (failed,) = report.outputs["keep.output"]
    assert failed["error"] == "the pipeline 'part' failed"
    assert "part.yaml:2:3) failed on document 1" in failed["reason"]
    assert failed["of"] == {"n": 1}
    assert [each["n"] for each in report.outputs["call.output"]] == [2, 5]


def test_a_failure_names_the_place_in_the_inner_pipeline(tmp_path: Path) -> None:
    write(tmp_path, part=FAILING, outer="snaps: {inner: {snap: PipelineExecute, pipeline: part}}")
    with pytest.raises(SnapFailedError) as caught:
        run(tmp_path, "pipeline: outer", [{"n": 1}])
    assert str(caught.value).count("part.yaml") == 2
    assert "a number has no property `half`" in str(caught.value)


def test_a_run_that_fails_is_repeated(tmp_path: Path) -> None:
    source = "import os\n\ndef snaplogic_process(row):\n    tries = open('tries', 'a+')\n"
    source += "    tries.write('x')\n    tries.flush()\n"
    source += "    if os.path.getsize('tries') < 3:\n        raise ValueError('not yet')\n"
    source += "    return {'tries': os.path.getsize('tries')}\n"
    (tmp_path / "try.py").write_text(source)
    write(tmp_path, again="snaps: {try: {snap: RemotePythonScript, script: try.py}}")
    (result,) = run(tmp_path, "pipeline: again, retries: 2", [{"n": 1}])
    assert result == {"tries": 3, "original": {"n": 1}}
    (tmp_path / "tries").unlink()
    with pytest.raises(SnapFailedError, match="ValueError: not yet"):
        run(tmp_path, "pipeline: again, retries: 1", [{"n": 1}])


def test_a_run_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "wait.py").write_text(
        "import time\n\ndef snaplogic_process(row):\n    time.sleep(600)\n"
    )
    write(tmp_path, slow="snaps: {wait: {snap: RemotePythonScript, script: wait.py}}")
    with pytest.raises(SnapFailedError, match=r"it took longer than 0\.5 s"):
        run(tmp_path, "pipeline: slow, timeout: 0.5", [{"n": 1}])


@pytest.mark.parametrize("on_error", ["discard", "stop"])
def test_a_reused_run_that_fails_at_its_end_fails_the_pipeline(
    on_error: str, tmp_path: Path
) -> None:
    write(
        tmp_path,
        failing="snaps:\n  all: {snap: GroupByN, group_size: 0}\n"
        "  part: {snap: Mapper, mappings: {$n: $nothing.at.all}}\nlinks: [all -> part]\n",
    )
    with pytest.raises(SnapFailedError, match="the pipeline 'failing' failed"):
        run(tmp_path, f"pipeline: failing, reuse: true, on_error: {on_error}", [{"n": 1}])


def test_pipelines_that_call_each_other_without_end_are_stopped(tmp_path: Path) -> None:
    (tmp_path / "parent.yaml").write_text("")
    with pytest.raises(SnapFailedError, match="pipelines call each other 64 deep"):
        run(tmp_path, "pipeline: parent", [{"n": 1}])


FANS_OUT = """
parameters: {key: {secret: true, default: swordfish}}
snaps:
  more: {snap: Mapper, mappings: {$list: "[{n: 1}, {n: 2}, {n: 3}]"}}
  three: {snap: JSONSplitter, json_path: "$list[*]"}
  again: {snap: PipelineExecute, pipeline: fans_out, %s}
links: [more -> three -> again]
"""
CHAIN = "... -> fans_out.yaml -> fans_out.yaml -> fans_out.yaml -> fans_out.yaml"


@pytest.mark.parametrize("settings", ["pool_size: 20", "pool_size: 3, on_error: discard"])
def test_a_pool_that_fans_out_into_itself_is_stopped_before_it_fills_the_memory(
    tmp_path: Path, settings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_tree, "MAX_LIVE", 30)
    (tmp_path / "fans_out.yaml").write_text(FANS_OUT % settings)
    with pytest.raises(SnapFailedError, match="30 runs of pipelines that call themselves") as info:
        run(tmp_path, "pipeline: fans_out", [{"n": 1}])
    assert CHAIN in str(info.value)


def test_a_pipeline_that_discards_errors_and_calls_itself_fails_after_one_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_tree, "MAX_DEPTH", 12)
    (tmp_path / "fans_out.yaml").write_text(FANS_OUT % "on_error: discard, retries: 5")
    with pytest.raises(SnapFailedError, match="call each other 12 deep") as info:
        run(tmp_path, "pipeline: fans_out", [{"n": 1}])
    assert CHAIN in str(info.value)


def test_calls_without_end_are_an_error_of_the_document_that_leads_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_tree, "MAX_DEPTH", 12)
    (tmp_path / "down.yaml").write_text(
        "snaps:\n  on: {snap: Filter, filter: $n > 0}\n"
        "  again: {snap: PipelineExecute, pipeline: down}\nlinks: [on -> again]\n"
    )
    keep = "  keep: {snap: Mapper, mappings: {$reason: $reason, $n: $original.n}}\n"
    (tmp_path / "parent.yaml").write_text(
        f"snaps:\n  call: {{snap: PipelineExecute, pipeline: down, on_error: route}}\n{keep}"
        "links: [call.error -> keep]\n"
    )
    report = api.run(tmp_path / "parent.yaml", inputs={"call": [{"n": 0}, {"n": 1}, {"n": 0}]})
    (failed,) = report.outputs["keep.output"]
    assert (failed["n"], report.snaps[0].dropped) == (1, 2)
    assert failed["reason"].startswith("pipelines call each other 12 deep: ... -> down.yaml")


def test_a_pipeline_may_call_itself_as_long_as_that_ends(tmp_path: Path) -> None:
    more = (
        "  more: {snap: Filter, filter: $n > 0}\n  less: {snap: Mapper, mappings: {$n: $n - 1}}\n"
    )
    (tmp_path / "down.yaml").write_text(
        f"snaps:\n{more}  again: {{snap: PipelineExecute, pipeline: down}}\n"
        "links: [more -> less -> again]\n"
    )
    report = api.run(tmp_path / "down.yaml", inputs={"more": [{"n": 5}]})
    assert report.status == "completed"
    assert report.outputs == {}


def test_values_from_documents_do_not_lead_out_of_the_folder_of_the_pipeline(
    tmp_path: Path,
) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "inner" / "read.yaml").write_text(
        "parameters: {file: {}}\nsnaps: {read: {snap: FileReader, file: = 'data/' + _file}}\n"
    )
    settings = "pipeline: inner/read, output_type: binary, parameters: {file: = $file}"
    with pytest.raises(SnapFailedError, match=r"leads? out of"):
        run(tmp_path, settings, [{"file": "../../secret.txt"}])


def test_secrets_that_are_handed_on_stay_secret(tmp_path: Path) -> None:
    write(
        tmp_path,
        tell="parameters: {key: {}}\nsnaps: {tell: {snap: Mapper, mappings: {$x: $n[_key].y}}}\n",
    )
    (tmp_path / "parent.yaml").write_text(
        "parameters: {key: {secret: true}}\n"
        "snaps: {call: {snap: PipelineExecute, pipeline: tell, parameters: {key: = _key}}}\n"
    )
    with pytest.raises(SnapFailedError) as caught:
        api.run(
            tmp_path / "parent.yaml",
            inputs={"call": [{"n": {}}]},
            parameters={"key": "swordfish-42"},
        )
    assert "swordfish-42" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("pipeline: tenfolt", "there is no pipeline 'tenfolt'"),
        ("pipeline: tenfold, parameters: {x: 1}", "has no parameter 'x'"),
        ("pipeline: needy", "requires the parameter 'must'"),
        ("pipeline: tenfold, batch_size: 0", "batch_size must be at least 1, got 0"),
        ("pipeline: tenfold, timeout: 0", "timeout must be greater than 0"),
        ("pipeline: tenfold, input_type: binary, reuse: true", "has a run of its own"),
    ],
)
def test_mistakes_are_found_when_the_pipeline_is_checked(
    tmp_path: Path, settings: str, said: str
) -> None:
    needy = "parameters: {must: {required: true}}\n" + TENFOLD
    write(tmp_path, tenfold=TENFOLD, needy=needy)
    with pytest.raises(InvalidPipelineError, match=said):
        run(tmp_path, settings, [])


def test_a_pipeline_with_mistakes_is_an_error_of_the_document_that_names_it(
    tmp_path: Path,
) -> None:
    write(tmp_path, bad="snaps: {m: {snap: Mapperr}}")
    with pytest.raises(SnapFailedError, match="unknown-snap"):
        run(tmp_path, "pipeline: = $which", [{"which": "bad"}])


def test_two_open_inputs_are_too_many(tmp_path: Path) -> None:
    write(
        tmp_path,
        two="snaps: {a: {snap: Mapper, mappings: {$n: $n}}, b: {snap: Filter, filter: 'true'}}",
    )
    with pytest.raises(SnapFailedError, match=r"it has 2 open inputs: a\.input, b\.input"):
        run(tmp_path, "pipeline: two", [{"n": 1}])


def test_binary_streams_pass_through_a_pipeline(tmp_path: Path) -> None:
    write(tmp_path, parse="snaps: {parse: {snap: JSONParser, open_input: true}}")
    (tmp_path / "in.json").write_text('[{"n": 1}, {"n": 2}]')
    (tmp_path / "parent.yaml").write_text(
        "snaps:\n  read: {snap: FileReader, file: in.json}\n"
        "  call: {snap: PipelineExecute, pipeline: parse, input_type: binary}\n"
        "links: [read -> call]\n"
    )
    outputs = api.run(tmp_path / "parent.yaml").outputs["call.output"]
    assert [each["n"] for each in outputs] == [1, 2]
    assert outputs[0]["original"]["content-location"].endswith("in.json")


def test_what_still_runs_is_stopped_with_the_pipeline(tmp_path: Path) -> None:
    (tmp_path / "wait.py").write_text(
        "import time\n\ndef snaplogic_process(row):\n    open('began', 'w')\n    time.sleep(600)\n"
    )
    write(tmp_path, slow="snaps: {wait: {snap: RemotePythonScript, script: wait.py}}")
    (tmp_path / "parent.yaml").write_text(
        "snaps:\n  call: {snap: PipelineExecute, pipeline: slow}\n"
        "  fail: {snap: RemotePythonScript, script: fail.py}\n"
    )
    (tmp_path / "fail.py").write_text(
        "import os, time\n\ndef snaplogic_process(row):\n    while not os.path.exists('began'):\n"
        "        time.sleep(0.01)\n    raise ValueError('over')\n"
    )
    with pytest.raises(SnapFailedError, match="over"):
        api.run(tmp_path / "parent.yaml", inputs={"call": [{}], "fail": [{}]})
    assert not [each for each in threading.enumerate() if each.name == "child pipelines"]


def test_a_reused_run_masks_a_secret_that_its_caller_learns_while_it_runs(tmp_path: Path) -> None:
    (tmp_path / "accounts").mkdir()
    for who in ("ann", "bob"):
        (tmp_path / f"accounts/{who}.yaml").write_text(f"account: bearer\ntoken: secret-of-{who}\n")
    write(
        tmp_path,
        part="snaps:\n  part: {snap: Mapper, mappings: {$n: $entity.part}, open_output: false}\n"
        "  keep: {snap: Mapper, mappings: {$of: $original.entity}}\nlinks: [part.error -> keep]\n",
    )
    with serving(lambda request: Reply(200, request.headers["authorization"].encode())) as server:
        (tmp_path / "parent.yaml").write_text(
            f"snaps:\n  get: {{snap: RESTGet, service_url: {server.url}, account: = $who}}\n"
            "  call: {snap: PipelineExecute, pipeline: part, reuse: true}\n"
            "links: [get -> call]\n"
        )
        given = [{"who": "ann"}, {"who": "bob"}]
        report = api.run(tmp_path / "parent.yaml", inputs={"get": given})
    assert report.outputs["call.output"] == [{"of": "Bearer ***"}, {"of": "Bearer ***"}]
