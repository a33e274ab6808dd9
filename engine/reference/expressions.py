"""The page of all functions: each with its signature, its help and its examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import msgspec

from engine.expressions.functions import FAMILIES, Declaration, Example, Family

_INTRODUCTION = """\
# Functions of the expression language

This page is generated from the declarations of the functions; every example on it is run as a test.

Call a function of a family with the family's name (`Math.round(x)`), a method on a value
(`$name.trim()`), and a global function by its plain name (`parseInt(x)`). Arguments in brackets are
optional; `...x` stands for any number of them. Strings are converted to numbers where needed.

## Operators

| Operator, loosest last | Meaning |
|---|---|
| `x.name` `x['name']` `x[0]` `f(x)` `x.f(y)` | member, element, call |
| `!x` `-x` `+x` `typeof x` | not, minus, to number, name of the type |
| `*` `/` `%` | as in JavaScript; dividing by zero gives `Infinity` or `NaN` |
| `+` `-` | sum, or concatenation if either side is a string; difference |
| `<` `<=` `>` `>=` `in` `instanceof` | order; whether a property or index exists; type test |
| `==` `!=` | equal after conversion; arrays and objects by value |
| `&&` | the first operand if it is false, otherwise the second |
| `\\|\\|` | the first operand if it is true, otherwise the second |
| `test ? a : b` | one of two |
| `x => ...` `(a, b = 1, ...rest) => ...` | a function |

Types for `instanceof`: `Null Boolean String Number Object Array Date DateTime LocalDate
LocalDateTime LocalTime`. `false`, `0`, `''`, `null` and `NaN` count as false, everything else as
true.

`match x { 90..=100 => 'A', 80..<90 => 'B', [first, ...rest] => first, {name: n} => n,
n if n < 0 => 'negative', 'a' | 'b' => 'letter', _ => 'other' }` returns the value of the first arm
whose pattern matches, or null.

## Strings, regexes and formats

A string is a sequence of UTF-16 units, as in JavaScript and on the JVM: `'😀'.length` is 2, and
every position counts units. `charAt`, `slice`, `split('')` and the like may give half of such a
pair; where two halves meet again (`+`, `join`, `replace` ...) they become the one character. A half
that stays alone can be kept and compared, `JSON.stringify` writes it as `\\ud83d`, but it has no
bytes: Base64, digests, GZip, iconv, URL encoding, formatters and scripts refuse it.

Regexes are those of JavaScript, with the flags `g i m s u y`: named groups, lookbehind,
`\\p{L}` and `\\u{1F600}` (with `u`), `\\cA`, `$1 $& $<name>` in replacements. What JavaScript
refuses is refused: inline flags `(?i)`, possessive `a++`, atomic `(?>...)`, `(?P<name>...)`.
Without `u`, a regex works on UTF-16 units, so `.` matches half an emoji.

`sprintf` follows Java's `String.format`, and refuses what Java refuses (`%.2d`, `%-d`, `%05s`). It
is more lenient in one point: `%d` and `%f` take any number, and numbers written as strings.

## Date patterns

The letters are those of Java's `DateTimeFormatter` and of Joda: `G y u M L d D E e w Q a H h K k m
s S A n z Z X x V O`. Four letters give the full name (`MMMM`, `EEEE`, `QQQQ`, `GGGG`, `zzzz`), five
the narrow one. Where the two libraries differ: `Z` is `+0100`, `ZZ` is `+01:00`, `ZZZ` is the id of
the zone; weeks are those of ISO 8601; `YYYY` (or Joda's `xxxx`) beside `ww` is the year of the
week, and `YYYY` without a week is the year.

What a pattern writes it can read, narrow names and `W` and `F` apart. Every field that is read must
agree with the others: `Tue 2021-10-31` is refused, for that day was a Sunday.

## Differences from JavaScript

These are meant, most of them because the platform is written in Java:

- There is no -0, and `undefined` acts as null: a missing argument and `null` are the same.
- Arrays, objects and dates are equal by value.
- Numbers are exact: sums, differences, products and remainders have all digits (`0.1 + 0.2` is
  `0.3`, `1.10 * 2` is `2.20`), quotients have 34, and integers may have 4,300. `toFixed`,
  `toPrecision` and `toExponential` round halves of the decimal number up.
- A group inside a repeat keeps its last match: `'ab'.match(/(?:(a)|b)*/)[1]` is `'a'`.
- `replaceAll` takes a regex without the flag `g`, and `match` and `search` a string as regex.
- `encodeURIComponent` writes forms: a space becomes `+`, and `! ' ( ) ~` are escaped.
- An index that is out of range is an error, unless access is null-safe.
"""


class FunctionEntry(msgspec.Struct, frozen=True):
    """One function or method for readers; `name` is as one calls it: `Math.round`, `text.trim`."""

    name: str
    signature: str
    family: str
    help: str
    examples: tuple[Example, ...]


def page() -> str:
    return "\n".join([_INTRODUCTION, *(line for family in FAMILIES for line in _family(family))])


def function_entries() -> Iterator[FunctionEntry]:
    """Every function and method of the language, family by family."""
    return (entry for family in FAMILIES for entry in _entries(family))


def _entries(family: Family) -> Iterator[FunctionEntry]:
    prefix = f"{family.namespace}." if family.namespace else ""
    for declaration in _sorted(family.functions):
        yield _entry(family, prefix, declaration)
    for declaration in _sorted(family.methods):
        yield _entry(family, f"{_receiver(family)}.", declaration)


def _sorted(declarations: Mapping[str, Declaration]) -> list[Declaration]:
    return sorted(declarations.values(), key=lambda one: one.name.lower())


def _entry(family: Family, prefix: str, declaration: Declaration) -> FunctionEntry:
    note = " *Changes the array.*" if declaration.mutates else ""
    return FunctionEntry(
        name=f"{prefix}{declaration.name}",
        signature=f"{prefix}{declaration.signature}",
        family=family.title,
        help=f"{declaration.help}{note}",
        examples=declaration.examples,
    )


def _receiver(family: Family) -> str:
    return {"String": "text", "Binary": "bytes"}.get(
        family.title, family.title[0].lower() + family.title[1:]
    )


def _family(family: Family) -> Iterator[str]:
    yield f"## {family.title}\n"
    yield f"{family.help}\n"
    if family.constants:
        names = ", ".join(f"`{family.namespace}.{name}`" for name in sorted(family.constants))
        yield f"Constants: {names}.\n"
    for entry in _entries(family):
        yield f"### `{entry.signature}`\n"
        yield f"{entry.help}\n"
        yield "```js"
        yield from map(example_line, entry.examples)
        yield "```\n"


def example_line(example: Example) -> str:
    """An example with its result, and the document that it reads, as comments."""
    return f"{example.text}  {result_comment(example)}"


def result_comment(example: Example) -> str:
    """The result of an example, and the document that it reads, as comments."""
    given = f"    // $ is {_json(example.given)}" if example.given is not None else ""
    return f"// {_json(example.result)}{given}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
