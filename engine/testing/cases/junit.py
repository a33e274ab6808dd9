"""The results of cases as JUnit XML, which CI systems read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree

from engine.testing.cases.result import CaseResult

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(results: Sequence[CaseResult]) -> bytes:
    """A suite for each file, with its cases."""
    root = ElementTree.Element("testsuites", _counts(results))
    for path, group in groupby(results, key=lambda result: result.path):
        cases = list(group)
        suite = ElementTree.SubElement(root, "testsuite", {"name": path, **_counts(cases)})
        for result in cases:
            _add_case(suite, result)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _add_case(suite: ElementTree.Element, result: CaseResult) -> None:
    facts = {
        "classname": result.path,
        "name": _clean(result.name),
        "file": result.path,
        "line": str(result.where.line),
        "time": f"{result.seconds:.3f}",
    }
    case = ElementTree.SubElement(suite, "testcase", facts)
    if result.failures:
        message = _clean(result.failures[0].message)
        failure = ElementTree.SubElement(case, "failure", {"message": message})
        failure.text = _clean("\n".join(map(str, result.failures)))


def _counts(results: Sequence[CaseResult]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(not result.passed for result in results)),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _clean(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
