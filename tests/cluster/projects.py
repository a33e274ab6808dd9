"""Pipelines that need different things from workers: pieces of a file, documents that take several
ways, keys."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

PIPELINES = {
    "lines": """\
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true, on_error: route}
  keep: {snap: Filter, filter: $n % 5 != 0, on_error: route}
  map:
    snap: Mapper
    on_error: route
    mappings: {$n: $n, $half: $n / 2, $name: $name.toUpperCase()}
  format: {snap: JSONFormatter, json_lines: true, header: {$first: $n}}
  errors: {snap: Union}
  reasons: {snap: Mapper, mappings: {$label: $snap_details.label, $error: $error}}
links:
  - read -> parse -> keep -> map -> format
  - parse.error -> errors.input0
  - keep.error -> errors.input1
  - map.error -> errors.input2
  - errors -> reasons
""",
    "documents": """\
snaps:
  number: {snap: Sequence, number_of_documents: 700}
  copy: {snap: Copy}
  square: {snap: Mapper, mappings: {$n: $value, $square: $value * $value}}
  odd: {snap: Router, routes: {odd: $value % 2 == 1, even: "true"}, first_match: true}
  halve: {snap: Mapper, on_error: discard, mappings: {$n: "$value > 600 ? $gone : $value / 2"}}
  sort: {snap: Sort, sort_paths: [{path: $square, order: descending}]}
  again: {snap: Mapper, mappings: {$root: "Math.sqrt($square)", $n: $n}}
links:
  - number -> copy
  - copy.output0 -> square -> sort -> again
  - copy.output1 -> odd
  - odd.odd -> halve
""",
    "keyed": """\
snaps:
  number: {snap: Sequence, number_of_documents: 2500}
  shape:
    snap: Mapper
    mappings: {$n: $value, $key: "$value * 7 % 211", $ten: "Math.floor($value / 10)"}
  copy: {snap: Copy}
  totals:
    snap: Aggregate
    group_by_fields: [{field: $key, output_field: key}]
    aggregate_fields:
      - {function: sum, field: $n, result_field: sum}
      - {function: concat, field: $n, result_field: all}
  some: {snap: Filter, filter: $key % 3 != 0}
  join: {snap: Join, join_type: outer, join_paths: [{left_path: $key, right_path: $key}]}
  name: {snap: Mapper, on_error: route, mappings: {$n: $n, $of: $sum, $all: $all.length}}
  tens: {snap: Mapper, mappings: {$ten: $ten}}
  unique: {snap: Unique}
  double: {snap: Mapper, mappings: {$twenty: $ten * 2}}
links:
  - number -> shape -> copy
  - copy.output0 -> join.one
  - copy.output1 -> totals -> some -> join.two
  - join -> name
  - copy.output2 -> tens -> unique -> double
""",
}


def write_project(folder: Path) -> None:
    """Write the pipelines, and the lines that one of them reads, a few of which are malformed."""
    random = Random(5)
    with (folder / "in.jsonl").open("w") as file:
        for n in range(3000):
            row = {"n": n, "name": f"näme {n}", "rest": "x" * random.randrange(60)}
            if random.random() < 0.01:
                row = {"n": "none"}
            elif random.random() < 0.01:
                del row["name"]
            text = json.dumps(row)
            if random.random() < 0.01:
                text = random.choice(["", "{", "7", "[1]", text + ",", "  "])
            file.write(text + "\n")
    for name, text in PIPELINES.items():
        (folder / f"{name}.yaml").write_text(text)
