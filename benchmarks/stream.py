"""JSON lines → Filter → Mapper → JSON lines, against a hand-written loop over orjson."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import orjson

from benchmarks.processes import Usage, compare, engine_command, measure

BUDGET = 0.7
"""At least this share of the documents per CPU second of the hand-written loop."""

MEMORY_BUDGET_MIB = 50

PIPELINE = """\
pipeline: Stream
snaps:
  read:   {snap: FileReader, file: input.jsonl}
  parse:  {snap: JSONParser, json_lines: true}
  keep:   {snap: Filter, filter: $token == 'secret' && $amount > 250}
  shape:
    snap: Mapper
    mappings:
      $id: $id
      $name: $customer.name
      $city: $customer.address.city
      $total: $amount * $quantity
      $label: "$customer.name + ' #' + $id"
  format: {snap: JSONFormatter, json_lines: true}
  write:  {snap: FileWriter, file: engine.jsonl}
links:
  - read -> parse -> keep -> shape -> format -> write
"""

LOOP = """\
import orjson

with open("input.jsonl", "rb") as source, open("loop.jsonl", "wb") as target:
    for line in source:
        document = orjson.loads(line)
        if document["token"] == "secret" and document["amount"] > 250:
            customer = document["customer"]
            target.write(
                orjson.dumps(
                    {
                        "id": document["id"],
                        "name": customer["name"],
                        "city": customer["address"]["city"],
                        "total": document["amount"] * document["quantity"],
                        "label": customer["name"] + " #" + str(document["id"]),
                    }
                )
                + b"\\n"
            )
"""


def write_documents(path: Path, count: int) -> None:
    """A file of orders, 150 bytes each; the filter keeps half of them."""
    with path.open("wb") as file:
        for number in range(count):
            order = {
                "id": number,
                "token": "secret",
                "amount": number % 500,
                "quantity": 3,
                "customer": {
                    "name": f"customer {number % 1000}",
                    "address": {"city": "Prague", "street": "Main 1"},
                },
                "tags": ["a", "b"],
            }
            file.write(orjson.dumps(order) + b"\n")


def report(documents: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stream.yaml").write_text(PIPELINE)
        (folder / "loop.py").write_text(LOOP)
        engine = engine_command("run", "stream.yaml")
        few = _peak_of_few(folder, engine)
        write_documents(folder / "input.jsonl", documents)
        best = compare(
            {"hand-written loop": [sys.executable, "loop.py"], "engine": engine}, folder, rounds
        )
        same = (folder / "engine.jsonl").read_bytes() == (folder / "loop.jsonl").read_bytes()
        _print(documents, best, few, same)


def _peak_of_few(folder: Path, engine: list[str]) -> float:
    write_documents(folder / "input.jsonl", 10_000)
    return measure(engine, folder).peak_mib


def _print(documents: int, best: dict[str, Usage], few: float, same: bool) -> None:
    print(f"JSON lines → Filter → Mapper → JSON lines, {documents:,} documents")
    for name, usage in best.items():
        rate = documents / usage.cpu_seconds
        print(f"  {name:20} {rate:12,.0f} documents per CPU second, {usage.peak_mib:.0f} MiB")
    ratio = best["hand-written loop"].cpu_seconds / best["engine"].cpu_seconds
    grown = best["engine"].peak_mib - few
    print(f"  ratio {ratio:.2f} (budget: at least {BUDGET}), same bytes: {same}")
    print(f"  memory over that for 10,000: {grown:+.0f} MiB (budget: {MEMORY_BUDGET_MIB})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    report(arguments.documents, arguments.rounds)


if __name__ == "__main__":
    main()
