"""Providers of vendors pass every check, at vendors made up of the answers that their matrix has."""

from __future__ import annotations

import re

import pytest
from mediaconduit_broker.conformance import CHECKS
from mediaconduit_broker.manifest import read_manifest
from mediaconduit_broker.sources import catalog
from mediaconduit_vendors.testing import Answer, Upstream

from tests.integration.vendors.matrix import KEY, UNFINISHED, VendorCases, load

from .conftest import Conform

VENDORS = {name: vendor for name, vendor in load().items() if name in catalog() and name not in UNFINISHED}
ALSO = {"openai": {"POST /v1/videos/edits": "POST /v1/videos"}}
"""Routes that are answered like another one: what the suite asks beside the matrix's cases."""
ID = re.compile(r"(?<=/)(?=[A-Za-z]*\d)(?=[^/]*[A-Z])[A-Za-z0-9]{16,}(?=/|$)")
"""A vendor's id of a thing, in a path."""
NOT_JUDGED = "manifest"
"""The made-up lists of models are shorter than what manifests promise."""


def routes(vendor: VendorCases) -> dict[str, Answer]:
    """Everything the vendor is asked in its cases, answered as the first of them has it."""
    found: dict[str, Answer] = {}
    for case in vendor.cases:
        for route, answer in case.routes.items():
            found.setdefault(route, answer)
    for case in vendor.cases:
        found.setdefault(case.route, case.reply)
    found |= {route: found[like] for route, like in ALSO.get(vendor.vendor, {}).items() if like in found}
    # The first that fits is taken: what holds for one voice or file holds for all the others.
    return found | {general: answer for route, answer in found.items() if (general := ID.sub("{id}", route)) != route}


@pytest.mark.timeout(300)  # an environment may have to be built
@pytest.mark.parametrize("name", sorted(VENDORS))
async def test_a_vendors_provider_passes_every_check(name: str, conform: Conform) -> None:
    vendor = VENDORS[name]
    first = vendor.cases[0]
    async with Upstream(routes(vendor)) as upstream:
        report = await conform(
            name,
            settings={**first.settings, "base_url": upstream.url + first.base},
            secrets=dict.fromkeys(read_manifest(catalog()[name]).secrets, KEY),
            models={case.model for case in vendor.cases},
            only=[check for check in CHECKS if check != NOT_JUDGED],
        )
        upstream.problems.clear()  # the suite asks what no vendor foresaw
    failed = {outcome.name: outcome.detail for outcome in report.outcomes if not outcome.passed}
    assert failed == {}
    assert all(outcome.applicable for outcome in report.outcomes if outcome.name in {"transform", "cancel", "parallel"})
