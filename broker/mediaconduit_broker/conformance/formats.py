"""A report for machines."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from mediaconduit_broker.conformance.check import Report


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain data: ``{provider, passed, checks: [{name, passed, detail, …}]}``."""
    checks = [
        {
            "name": outcome.name,
            "passed": outcome.passed,
            "detail": outcome.detail,
            "applicable": outcome.applicable,
            "skipped": outcome.skipped,
            "seconds": round(outcome.seconds, 3),
            "advice": outcome.advice,
        }
        for outcome in report.outcomes
    ]
    return {"provider": report.provider, "passed": report.passed, "checks": checks}


def as_junit(report: Report) -> str:
    """The report as JUnit XML. A check that is not applicable or could not be tried is a skipped test."""
    name = f"conformance.{report.provider}"
    suite = ElementTree.Element(
        "testsuite",
        name=name,
        tests=str(len(report.outcomes)),
        failures=str(len(report.failed)),
        errors="0",
        skipped=str(sum(outcome.skipped or not outcome.applicable for outcome in report.outcomes)),
        time=f"{sum(outcome.seconds for outcome in report.outcomes):.3f}",
    )
    for outcome in report.outcomes:
        case = ElementTree.SubElement(
            suite, "testcase", classname=name, name=outcome.name, time=f"{outcome.seconds:.3f}"
        )
        if outcome.failed:
            failure = ElementTree.SubElement(case, "failure", message=_plain(outcome.detail.partition("\n")[0]))
            failure.text = _plain(f"{outcome.detail}\n\n{outcome.advice}")
        elif outcome.skipped or not outcome.applicable:
            ElementTree.SubElement(case, "skipped", message=_plain(outcome.detail))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _plain(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(character if character in "\n\t" or character >= " " else "�" for character in text)
