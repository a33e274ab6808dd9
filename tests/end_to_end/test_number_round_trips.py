"""Every number leaves a pipeline as it came, unless the pipeline computes with it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import SnapFailedError
from engine.run import spilling
from engine.testing import run_pipeline
from tests.end_to_end.numbers_as_text import NUMBERS, documents

THROUGH = """
snaps:
  read: {snap: FileReader, file: in.json}
  parse: {snap: JSONParser, json_lines: LINES}
  pass: {snap: MIDDLE}
  format: {snap: JSONFormatter, json_lines: LINES}
  write: {snap: FileWriter, file: out.json}
links: [read -> parse -> pass -> format -> write]
"""
MAPPER = "Mapper, pass_through: true, mappings: {$seen: 'true'}"
SCRIPT = "RemotePythonScript, exact: true, source: 'def snaplogic_process(row): return row'"
SPILLING = """
snaps:
  read: {snap: FileReader, file: in.json}
  parse: {snap: JSONParser, json_lines: true}
  both: {snap: Copy}
  code: {snap: Filter, filter: $content != null, null_safe_access: true}
  run: {snap: RemotePythonScript, exact: true}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.json}
links:
  - read -> parse -> both -> code -> run.script
  - both -> run -> format -> write
"""


def through(text: str, middle: str, lines: bool = True) -> str:
    pipeline = THROUGH.replace("LINES", str(lines).lower()).replace("MIDDLE", middle)
    return run_pipeline(pipeline, files={"in.json": text}).files["out.json"].decode()


def lines_of(texts: list[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("lines", [True, False])
def test_a_number_leaves_as_it_came(number: str, lines: bool) -> None:
    text = f'{{"n":{number},"list":[{number},{{"n":{number}}}]}}'
    expected = text[:-1] + ',"seen":true}'
    assert through(text, MAPPER, lines).strip() == (expected if lines else f"[{expected}]")


@settings(deadline=None)
@given(st.lists(documents, min_size=1, max_size=5))
def test_numbers_leave_as_they_came(texts: list[str]) -> None:
    assert through(lines_of(texts), "Filter, filter: 'true'") == lines_of(texts)
    array = f"[{','.join(texts)}]"
    assert through(array, "Filter, filter: 'true'", lines=False) == array


@pytest.mark.parametrize("middle", [MAPPER, "Filter, filter: $n != 1", "Filter, filter: $m == 1"])
def test_many_numbers_leave_as_they_came(middle: str) -> None:
    added = ',"seen":true}' if middle == MAPPER else "}"
    texts = [f'{{"m":1,"n":{number},"list":[{number}]' for number in NUMBERS * 100]
    given = lines_of([f"{text}}}" for text in texts])
    assert through(given, middle) == lines_of([text + added for text in texts])


@pytest.mark.parametrize("middle", [MAPPER, "Filter, filter: $m == 1"])
@pytest.mark.parametrize("number", ["7" * 4301, "0." + "7" * 4301, "1e10001"])
def test_a_number_beyond_the_bounds_among_many_is_an_error(number: str, middle: str) -> None:
    texts = ['{"m":1,"n":12.5}'] * 3000
    texts[2000] = f'{{"m":1,"n":{number}}}'
    with pytest.raises(SnapFailedError, match="cannot parse line 2001 as JSON"):
        through(lines_of(texts), middle)


@pytest.mark.parametrize(
    ("number", "written"),
    [("1e2", "1E+2"), ("1E2", "1E+2"), ("10e-3", "0.010"), ("-0", "0"), ("-0e0", "-0")],
)
def test_another_form_of_a_number_is_written_in_its_canonical_form(
    number: str, written: str
) -> None:
    assert through(f'{{"n":{number}}}', "Union") == f'{{"n":{written}}}\n'


def test_numbers_come_back_from_a_script_that_takes_exact_ones() -> None:
    texts = [f'{{"n":{number},"list":[{{"n":{number}}}]}}' for number in NUMBERS]
    assert through(lines_of(texts), SCRIPT) == lines_of(texts)


def test_numbers_that_wait_on_disk_come_back_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spilling, "SPILL_BYTES", 0)
    texts = ['{"content":"def snaplogic_process(row): return row"}']
    texts += [f'{{"n":{number},"list":[{{"n":{number}}}]}}' for number in NUMBERS] * 100
    written = run_pipeline(SPILLING, files={"in.json": lines_of(texts)}).files["out.json"]
    assert written.decode() == lines_of(texts)


@pytest.mark.parametrize("lenient", ["true", "false"])
@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("1e1000000000", "the exponent of 1e1000000000 is out of range; the limit is 10,000"),
        ("-1.5E-10001", "the exponent of -1.5E-10001 is out of range"),
        ("7" * 1_000_000, "the number has 1,000,000 digits; the limit is 4,300"),
        ("0." + "7" * 1_000_000, "the number has 1,000,000 digits; the limit is 4,300"),
    ],
)
def test_a_number_beyond_the_bounds_is_an_error_at_its_place(
    number: str, says: str, lenient: str
) -> None:
    pipeline = f"""
    snaps:
      read: {{snap: FileReader, file: in.json}}
      parse: {{snap: JSONParser, non_standard_json: {lenient}, on_error: route}}
      errors: {{snap: Union}}
      rest: {{snap: Union}}
    links: [read -> parse -> rest, parse.error -> errors]
    """
    text = f'{{"a": 1}}\n{{"b": 2, "c": {number}}}'
    outputs = run_pipeline(pipeline, files={"in.json": text}).outputs
    assert outputs["rest.output"] == [{"a": 1}]
    (error,) = outputs["errors.output"]
    assert error["reason"].startswith(says)
    assert "(line 2, column 15, byte 23)" in error["reason"]


@pytest.mark.parametrize("form", ["// a comment\n{{n: {}}}", "{{'n': {},}}", '{{"n": +{}}}'])
@pytest.mark.parametrize("number", ["29.920", "1.5E-7", "1E+400", "0.10", "1" * 40])
def test_a_number_in_lenient_json_leaves_as_it_came(form: str, number: str) -> None:
    assert json.loads(through(form.format(number), "Union", lines=False), parse_float=str) == [
        json.loads(f'{{"n":{number}}}', parse_float=str)
    ]


@pytest.mark.parametrize("text", ["{1.5: 2}", "{n: 1.5, 2.50: 1}", "{n: 1.5.5}", "{n: 01.5}"])
def test_a_number_that_is_not_one_or_not_allowed_there_is_no_json(text: str) -> None:
    with pytest.raises(Exception, match=r"not valid JSON|not a valid number"):
        through(text, "Union", lines=False)


def test_digits_in_strings_comments_and_names_are_no_numbers() -> None:
    text = '{a1e5: \'1.50\', $2: "2.50\\"3.50" /* 4.50 */, e: 5.50 // 6.50\n}'
    expected = '[{"a1e5":"1.50","$2":"2.50\\"3.50","e":5.50}]'
    assert through(text, "Union", lines=False) == expected


def test_no_string_is_mistaken_for_a_number() -> None:
    text = "{a: 1.50, b: '\ue0000', c: '\\ue0010', d: '\\uE0020', e: ['\ue0030']}"
    expected = '[{"a":1.50,"b":"\ue0000","c":"\ue0010","d":"\ue0020","e":["\ue0030"]}]'
    assert through(text, "Union", lines=False) == expected


def test_a_decimal_in_yaml_keeps_its_scale() -> None:
    pipeline = """
    snaps:
      make: {snap: JSONGenerator, documents: [{a: 1.10, b: 1e2, c: 7, d: .5, e: "1.10"}]}
      format: {snap: JSONFormatter, json_lines: true}
      write: {snap: FileWriter, file: out.json}
    links: [make -> format -> write]
    """
    written = run_pipeline(pipeline).files["out.json"]
    assert written == b'{"a":1.10,"b":1E+2,"c":7,"d":0.5,"e":"1.10"}\n'


def test_a_template_keeps_the_scale_of_its_numbers_and_of_those_it_inserts() -> None:
    pipeline = """
    snaps:
      first: {snap: JSONGenerator, text: '{"price": 29.920}'}
      second: {snap: JSONGenerator, text: '{"a": $price, "b": "$price", "c": 1.10, "d": [$price]}'}
      format: {snap: JSONFormatter, json_lines: true}
      write: {snap: FileWriter, file: out.json}
    links: [first -> second -> format -> write]
    """
    written = run_pipeline(pipeline).files["out.json"]
    assert written == b'{"a":29.920,"b":"29.920","c":1.10,"d":[29.920]}\n'
