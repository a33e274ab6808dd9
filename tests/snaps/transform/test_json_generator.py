from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError, EngineError


def test_one_map_is_one_document(run_snap: Any) -> None:
    assert run_snap("JSONGenerator", {"documents": {"a": [1]}}).output == [{"a": [1]}]


def test_each_input_document_generates_again(run_snap: Any) -> None:
    output = run_snap("JSONGenerator", {"documents": [{"a": []}, {"b": 1}]}, [{}, {}]).output
    assert output == [{"a": []}, {"b": 1}] * 2
    assert output[0]["a"] is not output[2]["a"]


def test_no_documents_drop_the_input(run_snap: Any) -> None:
    result = run_snap("JSONGenerator", {"documents": []}, [{}])
    assert (result.output, result.dropped) == ([], 1)


def test_the_input_can_be_passed_through(run_snap: Any) -> None:
    settings = {"documents": {"a": 1}, "pass_through": True}
    assert run_snap("JSONGenerator", settings, [{"x": 1}]).output == [
        {"a": 1, "original": {"x": 1}}
    ]
    assert run_snap("JSONGenerator", settings).output == [{"a": 1}]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"v": $name}', 'A "q"\n'),
        ('{"v": ${name}}', 'A "q"\n'),
        ('{"v": "<$name>"}', '<A "q"\n>'),
        ('{"v": "${name}s"}', 'A "q"\ns'),
        ('{"v": $list[1].x}', 5),
        ("{\"v\": $map['odd key']}", True),
        ('{"v": $list}', [1, {"x": 5}]),
        ('{"v": "n=$none, l=$list"}', 'n=null, l=[1,{"x":5}]'),
        ('{"v": "\\$name costs $5"}', "$name costs $5"),
        ('{"v": $_region}', "eu"),
        ('{"v": "${_region}-1"}', "eu-1"),
        ('{"v": "a \\" $name"}', 'a " A "q"\n'),
        ('## a comment with $nothing\n  ## and "quotes\n{"v": 1}', 1),
    ],
)
def test_a_template_takes_values_from_document_and_parameters(
    run_snap: Any, template: str, expected: Any
) -> None:
    document = {"name": 'A "q"\n', "list": [1, {"x": 5}], "map": {"odd key": True}, "none": None}
    result = run_snap("JSONGenerator", {"text": template}, [document], parameters={"region": "eu"})
    assert result.output == [{"v": expected}]


def test_an_array_gives_one_document_for_each_element(run_snap: Any) -> None:
    assert run_snap("JSONGenerator", {"text": '[{"a": 1}, {"a": 2}]'}).output == [
        {"a": 1},
        {"a": 2},
    ]


def test_a_template_can_be_in_a_file(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('\ufeff{"a": $b}', encoding="utf-8")
    assert run_snap("JSONGenerator", {"file": "one.json"}, [{"b": 1}]).output == [{"a": 1}]


def test_a_reference_that_leads_nowhere_fails_its_document_alone(run_snap: Any) -> None:
    given = [{"a": {"b": 1}}, {"a": {}}, {"a": 3}]
    result = run_snap("JSONGenerator", {"text": '{"v": $a.b}'}, given, on_error="route")
    assert result.output == [{"v": 1}]
    assert [error["original"] for error in result.errors] == given[1:]
    assert "'$a.b'" in result.errors[0]["error"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ('{"a": }', "line 1, column 7"),
        ('{\n"a": 1,\n"b" 2}', "line 3, column 5"),
        ('## $a\n{"a": 1', "cannot parse the template as JSON"),
        ("[1]", "produces 1, but a document must be a map"),
        ('"text"', "a document must be a map"),
        ("", "documents, text or file is missing"),
        ('{"a": 1', "cannot parse the template as JSON"),
        ("[#foreach($x in [1])\n$x #stop", "line 1, column 2 of the template: '#foreach' has no"),
        ('{"a":\n #if($x ~ 1) 2 #end}', "line 2, column 9 of the template: expected"),
        ("{}#macro(x)#end", "'#macro' is not supported"),
        ('{"a": $_rgion}', "the pipeline does not declare the parameter '_rgion'"),
    ],
)
def test_a_template_that_is_wrong_says_where(run_snap: Any, template: str, message: str) -> None:
    with pytest.raises(EngineError, match=message.replace("(", r"\(")):
        run_snap("JSONGenerator", {"text": template}, [{}], parameters={"region": "eu"})


def test_exactly_one_source_is_taken(run_snap: Any) -> None:
    with pytest.raises(ConfigurationError, match="documents and text are set"):
        run_snap("JSONGenerator", {"documents": {}, "text": "{}"})


def test_a_comment_does_not_move_the_lines_of_a_message(run_snap: Any) -> None:
    with pytest.raises(EngineError, match="line 3, column 7"):
        run_snap("JSONGenerator", {"text": '## one\n## two\n{"a": }'})


def test_more_than_16_megabytes_are_refused(run_snap: Any) -> None:
    with pytest.raises(EngineError, match="the limit is 16 MB"):
        run_snap("JSONGenerator", {"text": '"' + "x" * (16 * 1024 * 1024) + '"'})


def test_halves_of_an_emoji_meet_in_a_template(run_snap: Any) -> None:
    given = [{"a": "\ud83d", "b": "\ude00"}]
    result = run_snap("JSONGenerator", {"text": '{"x": "$a$b"}'}, given)
    assert result.output == [{"x": "😀"}]


def test_an_object_with_half_an_emoji_and_a_decimal_becomes_text_within_quotes(
    run_snap: Any,
) -> None:
    given = [{"a": {"x": ["\ud83d", None], "n": Decimal("29.9200000000000000000000")}}]
    [made] = run_snap("JSONGenerator", {"text": '{"all": "$a"}'}, given).output
    assert made == {"all": r'{"x":["\ud83d",null],"n":29.9200000000000000000000}'}


def test_half_an_emoji_in_a_template_fails_its_document(run_snap: Any) -> None:
    settings = {"text": '{"x": $a}'}
    result = run_snap("JSONGenerator", settings, [{"a": "\ud83d"}], on_error="route")
    assert result.output == []
    assert "ud83d" in result.errors[0]["reason"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"a": "costs $US 5"}', "costs $US 5"),
        ('{"a": "$Task.loop(3) ${missing} $a.b"}', "$Task.loop(3) ${missing} $a.b"),
        ('{"a": "$!missing."}', "."),
        ('{"a": "$!{name}/$!name/$!_region"}', "Ada/Ada/eu"),
        ('{"a": "$!none"}', ""),
        ('{"a": "$_nope ${_nope} $!_nope."}', "$_nope ${_nope} ."),
        ("{a: '$name', /* it's $name */}", "Ada"),
        ("{a: '$quoted' // don't\n}", "it's"),
        ('{"a": "http://$name/"}', "http://Ada/"),
        ("""{'a': "it's $name"}""", "it's Ada"),
    ],
)
def test_references_and_forms_that_templates_of_the_platform_have(
    run_snap: Any, template: str, expected: str
) -> None:
    given = [{"name": "Ada", "none": None, "quoted": "it's", "a": 1}]
    result = run_snap("JSONGenerator", {"text": template}, given, parameters={"region": "eu"})
    assert result.output == [{"a": expected}]


def test_a_reference_outside_of_quotes_that_names_nothing_fails_the_document(run_snap: Any) -> None:
    with pytest.raises(EngineError, match=r"the template uses '\$nothing'"):
        run_snap("JSONGenerator", {"text": '{"a": $nothing}'}, [{}])


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('[#foreach($x in $list){"n": $x}#if($foreach.hasNext),#end#end]', [{"n": 1}, {"n": 2}]),
        ('#set($n = $list.size() + 1){"n": $n}', [{"n": 3}]),
        ('{"n": "#if($name == "Ada")yes#else$name#end"}', [{"n": "yes"}]),
        ('{"n": #if(!$gone && $list[0] >= 1)1#{else}2#end}', [{"n": 1}]),
        ('{"n": "#foreach($i in [3..1])$i;#end"}', [{"n": "3;2;1;"}]),
        (
            '{"n": "$name.toUpperCase() $map.at-mode $year-01 $name.nope()"}',
            [{"n": "ADA fast 2026-01 $name.nope()"}],
        ),
        ('{"n": "#FFF #end #else $5"} ## done', [{"n": "#FFF #end #else $5"}]),
        ('#* "a\nb *#{"n": 1}', [{"n": 1}]),
        (
            '[#foreach($k in $map.keySet()){"k": $k, "v": $map[$k]}#end]',
            [{"k": "at-mode", "v": "fast"}],
        ),
    ],
)
def test_templates_have_the_directives_of_velocity(
    run_snap: Any, template: str, expected: Any
) -> None:
    given = [{"name": "Ada", "list": [1, 2], "map": {"at-mode": "fast"}, "year": 2026}]
    assert run_snap("JSONGenerator", {"text": template}, given).output == expected
