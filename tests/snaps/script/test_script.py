from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import ConfigurationError, SnapFailedError

FRAME = """\
from com.snaplogic.scripting.language import ScriptHook
%s

class TransformScript(ScriptHook):
    def __init__(self, input, output, error, log):
        self.input, self.output, self.error, self.log = input, output, error, log

    def execute(self):
        while self.input.hasNext():
            doc = self.input.next()
%s

    def cleanup(self):
        self.log.info("cleaned up")

hook = TransformScript(input, output, error, log)
"""


def each(body: str, imports: str = "") -> dict[str, Any]:
    """The settings of a script with this code for each document."""
    return {"source": FRAME % (imports, textwrap.indent(textwrap.dedent(body), " " * 12))}


def one(run_snap: Any, code: str, imports: str = "", **document: Any) -> Any:
    """What the script writes for a document: the value of an expression."""
    settings = each(f"self.output.write({{'value': {code}}})", imports)
    (written,) = run_snap("Script", settings, [document], exact=True).output
    return written["value"]


def test_each_document_is_read_and_answered_in_order(run_snap: Any) -> None:
    settings = each("self.output.write(doc, {'original': doc, 'n': doc['n'] + 1})")
    result = run_snap("Script", settings, [{"n": n} for n in range(200)])
    assert result.output == [{"original": {"n": n}, "n": n + 1} for n in range(200)]
    assert result.shown == ["cleaned up"]


def test_a_script_may_write_nothing_once_or_several_times(run_snap: Any) -> None:
    settings = each("for each in range(doc['n']): self.output.write({'n': each})")
    result = run_snap("Script", settings, [{"n": 2}, {"n": 0}, {"n": 1}])
    assert result.output == [{"n": 0}, {"n": 1}, {"n": 0}]
    assert result.dropped == 1


def test_a_map_that_is_written_twice_is_two_documents(run_snap: Any) -> None:
    settings = each("doc['a'] = 1; self.output.write(doc); doc['a'] = 2; self.output.write(doc)")
    assert run_snap("Script", settings, [{}]).output == [{"a": 1}, {"a": 2}]


COLLECTING = """
class All:
    def execute(self):
        output.write({"first": True})
        total = sum(doc["n"] for doc in input)
        output.write({"total": total})

hook = All()
"""


def test_a_script_may_write_before_the_first_and_after_the_last_document(run_snap: Any) -> None:
    given = [{"n": 1}, {"n": 2}]
    result = run_snap("Script", {"source": COLLECTING}, given)
    assert result.output == [{"first": True}, {"total": 3}]


def test_without_input_it_runs_once(run_snap: Any) -> None:
    output = run_snap("Script", {"source": COLLECTING}).output
    assert output == [{"first": True}, {"total": 0}]


def test_a_script_that_stops_reading_leaves_the_rest(run_snap: Any) -> None:
    settings = each("self.output.write(doc)\nif doc['n'] == 2: return")
    result = run_snap("Script", settings, [{"n": n} for n in range(1, 5)])
    assert result.output == [{"n": 1}, {"n": 2}]
    assert result.dropped == 2


def test_documents_have_the_methods_of_java_and_of_python_2(run_snap: Any) -> None:
    code = """
    doc.put("seen", doc.containsKey("a") and not doc.has_key("b"))
    doc.put("names", [entry.getKey() for entry in doc.entrySet()])
    doc.put("size", doc.size())
    doc["first"] = doc.keys()[0]
    doc["inner"].get("list").add(3)
    doc.remove("a")
    doc["pairs"] = [k for k, v in doc.get("inner").iteritems()]
    self.output.write(doc)
    """
    given = [{"a": 1, "inner": {"list": [1, 2]}}]
    assert run_snap("Script", each(code), given).output == [
        {
            "inner": {"list": [1, 2, 3]},
            "seen": True,
            "names": ["a", "inner", "seen"],
            "size": 4,
            "first": "a",
            "pairs": ["list"],
        }
    ]


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("7 / 2", 3),
        ("-7 / 2", -4),
        ("7 / 2.0", 3.5),
        ("{'a': 1}.has_key('a')", True),
        ("{'a': 1}.keys()[0]", "a"),
        ("map(lambda x: x * 2, [1, 2])", [2, 4]),
        ("[isinstance(doc['text'], unicode), isinstance(doc['n'], long)]", [True, True]),
        ("reduce(lambda a, b: a + b, xrange(4))", 6),
        ("round(2.5)", 3.0),
        ("sorted([1, 3, 2], cmp=lambda a, b: cmp(b, a))", [3, 2, 1]),
    ],
)
def test_the_text_has_the_meaning_of_python_2(run_snap: Any, code: str, value: Any) -> None:
    assert one(run_snap, code, text="x", n=1) == value


@pytest.mark.parametrize("target", ["n", "self.n", "doc['n']", "[doc][0]['n']"])
@pytest.mark.parametrize(("divisor", "quotient"), [("2", 3), ("2.0", 3.5)])
def test_a_division_in_place_has_the_meaning_of_python_2(
    run_snap: Any, target: str, divisor: str, quotient: Any
) -> None:
    code = f"""
    n = self.n = doc['n']
    {target} /= {divisor}
    self.output.write({{'n': {target}}})
    """
    assert run_snap("Script", each(code), [{"n": 7}]).output == [{"n": quotient}]


OLD = """
import StringIO
class T:
    def execute(self):
        while input.hasNext():
            doc = input.next()
            try:
                print "row", doc["n"]
                if doc["n"] <> 0: raise ValueError, "not 0"
                print
                output.write({"mode": 0644, "long": 10L, "shown": `doc["n"]`, "raw": ur"\\d"})
            except (ValueError, KeyError), e:
                error.write({"error": str(e), "n": doc["n"]})
hook = T()
"""


def test_the_syntax_of_python_2_is_translated(run_snap: Any) -> None:
    given = [{"n": 0}, {"n": 1}]
    result = run_snap("Script", {"source": OLD}, given, on_error="route")
    assert result.output == [{"mode": 0o644, "long": 10, "shown": "0", "raw": "\\d"}]
    (error,) = result.errors
    assert (error["error"], error["n"], error["original"]) == ("not 0", 1, {"n": 1})
    assert result.shown == ["row 0", "", "row 1"]


def test_what_no_python_can_parse_is_a_mistake_with_its_line(run_snap: Any) -> None:
    source = OLD.replace("doc = input.next()", "doc = = input.next()")
    with pytest.raises(ConfigurationError, match="line 6 is not valid Python: invalid syntax"):
        run_snap("Script", {"source": source}, [])


def test_numbers_keep_their_digits_and_mix_with_floats(run_snap: Any) -> None:
    settings = each(
        "doc['double'] = doc['price'] * 2\n"
        "doc['rounded'] = doc['price'].setScale(1, RoundingMode.HALF_UP)\n"
        "doc['about'] = doc['price'] * 1.5 > 44\n"
        "self.output.write(doc)",
        "from java.math import RoundingMode",
    )
    result = run_snap("Script", settings, [{"price": 29.92, "big": 10**30}], exact=True)
    shown = {key: str(value) for key, value in result.output[0].items()}
    assert shown == {
        "price": "29.92",
        "big": str(10**30),
        "double": "59.84",
        "rounded": "29.9",
        "about": "True",
    }


@pytest.mark.parametrize(
    ("imports", "code", "value"),
    [
        ("from java.util import HashMap, ArrayList", "HashMap({'a': ArrayList([1])})", {"a": [1]}),
        ("import java.util.LinkedHashMap as Map", "Map({'a': 1}).getOrDefault('b', 2)", 2),
        ("import java", "java.util.Arrays.asList(1, 2).size()", 2),
        ("from java.util import HashSet", "HashSet([1, 2, 1])", [1, 2]),
        ("from java.util import TreeMap", "TreeMap({'b': 1, 'a': 2}).keySet()", ["a", "b"]),
        (
            "from java.util import Base64",
            "Base64.getEncoder().encodeToString('Ada'.encode())",
            "QWRh",
        ),
        ("from java.util import Base64", "Base64.getDecoder().decode('QWRh')", "Ada"),
        ("from java.math import BigDecimal", "BigDecimal('1').divide(BigDecimal('8'))", 0.125),
        (
            "from java.lang import Thread, String",
            "[Thread.sleep(0), String.valueOf(1)]",
            [None, "1"],
        ),
        (
            "from java.time import ZonedDateTime, ZoneId",
            "ZonedDateTime.parse('2024-03-01T12:00:00Z')"
            ".withZoneSameInstant(ZoneId.of('Europe/Berlin')).plusMonths(1).minusDays(1)",
            "2024-03-31T13:00+02:00[Europe/Berlin]",
        ),
        (
            "from java.time import LocalDateTime\nfrom java.time.format import DateTimeFormatter",
            "LocalDateTime.of(2024, 3, 1, 9, 5).format("
            "DateTimeFormatter.ofPattern(\"d.M.yyyy 'at' HH:mm:ss.SSS\"))",
            "1.3.2024 at 09:05:00.000",
        ),
        (
            "from java.time import LocalDate\nfrom java.time.format import DateTimeFormatter",
            "LocalDate.parse('01/03/24', DateTimeFormatter.ofPattern('dd/MM/yy'))",
            "2024-03-01",
        ),
        (
            "from java.time import Instant",
            "Instant.ofEpochMilli(1500000000123).toString()",
            "2017-07-14T02:40:00.123Z",
        ),
    ],
)
def test_java_classes_that_scripts_use_are_there(
    run_snap: Any, imports: str, code: str, value: Any
) -> None:
    assert one(run_snap, code, imports) == value


ZIPPING = """
from java.util.zip import ZipOutputStream, ZipEntry
from java.io import ByteArrayOutputStream
from java.util import Base64
import io, zipfile

class T:
    def execute(self):
        held = ByteArrayOutputStream()
        archive = ZipOutputStream(held)
        for doc in input:
            archive.putNextEntry(ZipEntry(doc["name"]))
            archive.write(doc["text"].encode("utf-8"))
            archive.closeEntry()
        archive.close()
        read = zipfile.ZipFile(io.BytesIO(held.toByteArray()))
        output.write({"names": read.namelist(), "first": read.read("a.txt")})

hook = T()
"""


def test_a_script_makes_a_zip_archive(run_snap: Any) -> None:
    given = [{"name": "a.txt", "text": "A"}, {"name": "b.txt", "text": "B"}]
    output = run_snap("Script", {"source": ZIPPING}, given).output
    assert output == [{"names": ["a.txt", "b.txt"], "first": "A"}]


def test_a_java_class_that_is_not_there_is_named(run_snap: Any) -> None:
    settings = each("pass", "from java.util import Scanner")
    with pytest.raises(SnapFailedError, match=r"Java's java\.util\.Scanner is not available"):
        run_snap("Script", settings, [])


@pytest.mark.parametrize(
    ("package", "name"), [("java.sql", "java.sql"), ("org.apache.http", "org")]
)
def test_a_java_package_that_is_not_there_is_named(run_snap: Any, package: str, name: str) -> None:
    settings = each("pass", f"from {package} import Connection")
    with pytest.raises(SnapFailedError, match=f"Java's {name} is not available"):
        run_snap("Script", settings, [])


def test_errors_are_text_or_maps_and_have_the_document_as_original(run_snap: Any) -> None:
    settings = each("self.error.write(doc['e'])\nself.output.write(doc)")
    given = [{"e": "bad"}, {"e": {"error": "worse", "reason": "rain", "code": 7}}]
    result = run_snap("Script", settings, given, on_error="route")
    assert result.output == given
    assert [(e["error"], e["reason"], e["original"]) for e in result.errors] == [
        ("bad", "bad", given[0]),
        ("worse", "rain", given[1]),
    ]
    assert result.errors[1]["code"] == 7


def test_an_exception_fails_the_pipeline_with_the_line_of_the_script(run_snap: Any) -> None:
    settings = each("self.output.write({'n': 10 // doc['n']})")
    with pytest.raises(SnapFailedError, match=r"ZeroDivisionError.*, line 11\)"):
        run_snap("Script", settings, [{"n": 1}, {"n": 0}, {"n": 2}], on_error="route")


def test_what_cannot_be_a_document_is_an_error_at_its_line(run_snap: Any) -> None:
    settings = each("self.output.write({'n': object})")
    with pytest.raises(SnapFailedError, match="key 'n' of the result holds a type"):
        run_snap("Script", settings, [{}])


def test_a_document_must_be_a_map(run_snap: Any) -> None:
    with pytest.raises(SnapFailedError, match=r"output\.write takes a map, not str"):
        run_snap("Script", each("self.output.write('text')"), [{}])


def test_reading_beyond_the_end_is_an_error(run_snap: Any) -> None:
    source = "class T:\n    def execute(self): input.next()\nhook = T()\n"
    with pytest.raises(SnapFailedError, match="the input has ended"):
        run_snap("Script", {"source": source}, [])


def test_lines_of_the_log_are_shown(run_snap: Any) -> None:
    settings = each("self.log.info('n is {}', doc['n'])\nself.log.warn('careful')")
    shown = run_snap("Script", settings, [{"n": 1}]).shown
    assert shown == ["n is 1", "warning: careful", "cleaned up"]


def test_a_script_in_a_file_is_run(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(OLD)
    result = run_snap("Script", {"script": "old.py"}, [{"n": 0}])
    assert result.output[0]["long"] == 10


def test_a_file_that_is_not_python_is_refused_with_its_line(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("x = 1\ny = = 2\n")
    with pytest.raises(ConfigurationError, match=r"bad\.py, line 2: this is not valid Python"):
        run_snap("Script", {"script": "bad.py"}, [])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "there is no script"),
        ({"source": "hook = 1", "script": "a.py"}, "script and source are both set"),
        ({"source": "x = 1"}, "the script does not define 'hook'"),
        ({"source": "hook = 1", "timeout": 0}, "timeout must be greater than 0"),
        ({"source": "hook = 1", "memory": "much"}, "much"),
        ({"source": "hook = 1", "memory": 512}, "memory must be at least 1 MiB, got 512 bytes"),
        ({"source": "hook = 1", "requirements": ["six", 3]}, "element 2 of 'requirements': exp"),
        ({"source": "var x;", "language": "javascript"}, "scripts in JavaScript are not supported"),
        ({"source": "x = 1", "language": "ruby"}, "scripts in Ruby are not supported"),
    ],
)
def test_mistakes_are_found_when_checking(
    run_snap: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        run_snap("Script", settings, [])


def test_a_hook_without_execute_is_refused(run_snap: Any) -> None:
    with pytest.raises(SnapFailedError, match="the script must end with hook ="):
        run_snap("Script", {"source": "hook = 1"}, [])


def test_a_row_that_takes_too_long_is_an_error(run_snap: Any) -> None:
    settings = each("while True: pass") | {"timeout": 0.3}
    with pytest.raises(SnapFailedError, match=r"0\.3"):
        run_snap("Script", settings, [{}])


def ultra_problems(folder: Path, body: str) -> list[str]:
    pipeline = {"snaps": {"script": {"snap": "Script"} | each(body)}}
    (folder / "pipeline.yaml").write_text(json.dumps(pipeline))
    (folder / "task.yaml").write_text("type: ultra\npipeline: pipeline.yaml\n")
    return [str(problem) for problem in api.check(folder / "task.yaml")]


def test_requests_are_answered_with_two_arguments(tmp_path: Path) -> None:
    assert ultra_problems(tmp_path, "self.output.write(doc, {'n': 1})") == []


def test_a_write_with_one_argument_is_refused_in_an_ultra_task(tmp_path: Path) -> None:
    (problem,) = ultra_problems(tmp_path, "self.output.write(doc)")
    assert "writes documents without saying which request they answer (line 11" in problem
    assert "use output.write(in_doc, doc)" in problem
