"""Whatever is edited, a preview shows the same as one in which all snaps run."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Preview = Callable[..., Any]
PIPELINE = """
parameters: {least: {default: "1"}}
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  first: {snap: Mapper, pass_through: true, mappings: {$a: "<first>"}}
  copy: {snap: Copy}
  keep: {snap: Filter, filter: "<keep>"}
  left: {snap: Mapper, pass_through: true, mappings: {$b: "<left> + parseInt(_least)"}}
  right: {snap: Mapper, mappings: {$n: $n, $c: "<right>"}}
  join: {snap: Join, join_type: left_outer, join_paths: [{left_path: $n, right_path: $n}]}
  sort: {snap: Sort, sort_paths: [$n]}
  format: {snap: JSONFormatter, pretty_print: <pretty>}
  again: {snap: JSONParser}
  last: {snap: Mapper, pass_through: true, mappings: {$z: "<last>"}}
links:
  - read -> parse -> first -> copy
  - copy.output0 -> keep -> left -> join.left
  - copy.output1 -> right -> join.right
  - join -> sort -> format -> again -> last
"""
EXPRESSIONS = ("$n + 1", "$n * 2", "$n", "$nothing")
CHOICES = {
    "first": EXPRESSIONS,
    "left": EXPRESSIONS,
    "right": EXPRESSIONS,
    "last": EXPRESSIONS,
    "keep": ("$n > 0", "$n < 3", "$n > 100"),
    "pretty": ("true", "false"),
    "least": ("0", "1", "2"),
    "limit": ("2", "3", "50"),
    "data": ('{"n": 1}\n{"n": 2}\n{"n": 1}\n', '{"n": 3}\n{"n": 1}\n', '{"n": 10.00}\nbroken\n'),
}


@pytest.mark.parametrize("seed", range(3))
def test_a_preview_after_edits_is_that_of_all_snaps(seed: int, preview: Preview) -> None:
    chance = random.Random(seed)
    values = {name: choices[0] for name, choices in CHOICES.items()}
    reused = 0
    for _ in range(6):
        name = chance.choice(list(CHOICES))
        values[name] = chance.choice(CHOICES[name])
        Path("in.jsonl").write_text(values["data"])
        pipeline = PIPELINE
        for key, value in values.items():
            pipeline = pipeline.replace(f"<{key}>", value)
        options = ("--limit", values["limit"], "--param", f"least={values['least']}")
        shown = preview(pipeline, *options)
        (file,) = Path(".snapline/preview").glob("*.preview")
        held = file.read_bytes()
        complete = preview(pipeline, *options, "--no-cache")
        file.write_bytes(held)
        reused += shown.out.count(',"reused":true')
        assert shown.out.replace(',"reused":true', "") == complete.out
    assert reused
