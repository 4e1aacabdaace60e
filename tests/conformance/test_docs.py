"""docs/conformance.md says what the code demands."""

import re

from mediaconduit_broker.conformance import CHECKS

from .conftest import ROOT

PAGE = (ROOT / "docs/conformance.md").read_text()


def test_the_page_has_every_check_in_the_order_they_run() -> None:
    assert re.findall(r"^### (.+)$", PAGE, re.M) == list(CHECKS)


def test_the_page_says_of_each_check_what_it_demands_and_advises() -> None:
    sections = re.split(r"^##+ (.+)$", PAGE, flags=re.M)
    texts = dict(zip(sections[1::2], (" ".join(text.split()) for text in sections[2::2]), strict=True))
    for name, check in CHECKS.items():
        assert texts[name] == f"{check.demand} When it fails: {check.advice}"
