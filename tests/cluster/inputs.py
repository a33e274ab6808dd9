"""The input files of the conformance pipelines: small, the same every time, with odd places."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from random import Random

ORDERS = 3_000
ITEMS = ("bolt", "Mutter", "écrou", "ねじ", "гайка", 'nut "M8"', "washer, flat", "🔩")


def write_inputs(folder: Path) -> None:
    """Write all files into `folder`, which must not exist."""
    folder.mkdir()
    (folder / "many").mkdir()
    texts = {
        "orders.jsonl": _lines(map(_order, range(1, ORDERS + 1))),
        "broken.jsonl": _broken(),
        "customers.json": json.dumps([_customer(key) for key in range(41)], ensure_ascii=False),
        "people.csv": _people(),
        "crlf.csv": "n,text\r\n" + "".join(f'{n},"line {n}"\r\n' for n in range(400)),
        "crlf.jsonl": "".join(f'{{"n": {n}}}\r\n' for n in range(400)),
        "cut.jsonl": "\n".join(f'{{"n": {n}}}' for n in range(700)),
        "cut.csv": "a,b\n" + "\n".join(f"{n},{n * n}" for n in range(700)),
        "unicode.jsonl": _unicode(),
        "exact.jsonl": _exact(),
        "big.jsonl": _lines({"id": n, "body": f"{n:04}" * 50_000} for n in range(12)),
        "empty.jsonl": "",
        "keys.jsonl": _keys(),
        "model.json": json.dumps({"weights": [3, 1, 4, 1, 5, 9, 2, 6]}),
        "orders.xml": _xml(),
        "fixed.txt": "".join(f"{n:>6}{'name ' + str(n):<10}\n" for n in range(500)),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    (folder / "blob.bin").write_bytes(Random(8).randbytes(300_000))
    for file in range(60):
        rows = _lines({"file": file, "n": n} for n in range(file % 7))
        (folder / "many" / f"{file:03}.jsonl").write_text(rows, newline="")


def _lines(documents: Iterable[dict[str, object]]) -> str:
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in documents)


def _order(number: int) -> dict[str, object]:
    order: dict[str, object] = {
        "id": number,
        "customer": number * 7 % 37,
        "item": ITEMS[number % len(ITEMS)],
        "count": number * 13 % 9 + 1,
        "price": number % 100 + 0.5,
        "note": "x" * (number % 300),
    }
    if number % 3:
        order["tags"] = [{"tag": f"t{tag}"} for tag in range(number % 4)]
    return order


def _broken() -> str:
    lines = []
    for number in range(1, ORDERS + 1):
        order = _order(number)
        if number % 250 == 0:
            del order["price"]
        lines.append(json.dumps(order) if number % 400 else '{"id": ' + str(number))
    return "\n".join(lines) + "\n"


def _customer(key: int) -> dict[str, object]:
    return {"key": key, "name": f"Kund:in {key}", "city": None if key % 6 == 0 else "Zürich"}


def _people() -> str:
    rows = ["name,age,text"]
    rows += [f'"Ann ""{n}"" é",{n % 60},"first\nsecond, {n}\n\nlast"' for n in range(900)]
    return "\n".join(rows) + "\n"


def _unicode() -> str:
    texts = (
        "naïve",
        "e\u0301",
        "Straße",
        "İi",
        "日本語",
        "👩‍👩‍👧",
        "a\u2028b",
        "a\u0085b",
        "\ufeff",
        "ﬁ",
        "",
    )
    return _lines({"id": n, "text": texts[n % len(texts)] + str(n // 100)} for n in range(1_000))


def _exact() -> str:
    rows = []
    for n in range(800):
        a = f"{n}.{n % 10}0" if n % 2 else str(10**40 + n)
        b = ("29.920", "1E+3", "0.1", "-7", "1.0", "123456789012345678901234567890.12")[n % 6]
        rows.append(f'{{"a":{a},"b":{b}}}')
    return "\n".join(rows) + "\n"


def _keys() -> str:
    """Runs of documents with the same key, and keys that are equal although they look different."""
    keys = (
        "1",
        "1.0",
        "1.00",
        '"1"',
        "true",
        "null",
        "",
        '"null"',
        "100000000000000000000",
        "1E+20",
        '"Straße"',
        '"ねじ"',
        '""',
        "[1, 2]",
        "[1.0, 2.00]",
        '{"a": 1, "b": null}',
        '{"b": null, "a": 1.0}',
        "-0.5",
        "-5E-1",
        "0",
    )
    rows = []
    for n in range(1_500):
        key = keys[n // (1 + n % 7) * 7 % len(keys)]
        rows.append(f'{{"n": {n}, "key": {key}}}' if key else f'{{"n": {n}}}')
    return "\n".join(rows) + "\n"


def _xml() -> str:
    orders = "".join(
        f'<order id="{n}"><count>{n % 5}</count><text>a &amp; b\n{n}</text></order>'
        for n in range(300)
    )
    return f"<?xml version='1.0' encoding='UTF-8'?><orders>{orders}</orders>"
