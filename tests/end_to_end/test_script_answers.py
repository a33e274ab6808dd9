"""Each call into a script returns one answer, fixed when the call returned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PIPELINE = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 0}, {n: 1}, {n: 2}]}
  script: {snap: RemotePythonScript, script: script.py}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl}
links: [make -> script -> format -> write]
"""

SCRIPTS = {
    "a dict that every call fills again": (
        "out = {}\ndef snaplogic_process(row):\n    out['n'] = row['n']\n    return out\n",
        [{"n": 0}, {"n": 1}, {"n": 2}],
    ),
    "a list that grows inside the answer": (
        "seen = []\ndef snaplogic_process(row):\n"
        "    seen.append(row['n'])\n    return {'seen': seen}\n",
        [{"seen": [0]}, {"seen": [0, 1]}, {"seen": [0, 1, 2]}],
    ),
    "a list of documents that every call extends": (
        "given = []\ndef snaplogic_process(row):\n    given.append(row)\n    return given\n",
        [{"n": 0}, {"n": 0}, {"n": 1}, {"n": 0}, {"n": 1}, {"n": 2}],
    ),
    "a row that is returned, kept and changed later": (
        "kept = []\ndef snaplogic_process(row):\n"
        "    for each in kept:\n        each['n'] = 'changed'\n"
        "    kept.append(row)\n    return row\n",
        [{"n": 0}, {"n": 1}, {"n": 2}],
    ),
    "an inner map that is shared": (
        "inner = {}\ndef snaplogic_process(row):\n"
        "    inner['n'] = row['n']\n    return [{'a': inner}]\n",
        [{"a": {"n": 0}}, {"a": {"n": 1}}, {"a": {"n": 2}}],
    ),
    "the results of a batch, which final changes": (
        "kept = []\ndef snaplogic_process_batch(rows):\n"
        "    kept.extend({'n': row['n']} for row in rows)\n    return kept[-len(rows):]\n"
        "def snaplogic_final():\n"
        "    for each in kept:\n        each['n'] = 9\n    return {'sum': 27}\n",
        [{"n": 0}, {"n": 1}, {"n": 2}, {"sum": 27}],
    ),
}


@pytest.mark.parametrize("what", SCRIPTS)
def test_each_answer_is_as_it_was_when_the_call_returned(
    what: str, engine: Any, tmp_path: Path
) -> None:
    source, expected = SCRIPTS[what]
    (tmp_path / "script.py").write_text(source)
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    done = engine("run", "pipeline.yaml")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == expected
