"""Asking a made-up vendor through a real provider, served by its real host and called by the real client."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from mediaconduit import Result
from mediaconduit.outputs import plain
from mediaconduit_provider import Provider
from mediaconduit_provider.testing import Served, serve
from mediaconduit_vendors.testing import Answer, Request, Upstream

from tests.integration.vendors.matrix import KEY, QUICK, Case


@contextlib.asynccontextmanager
async def asking(
    case: Case, answer: Answer | None = None, *, quick: bool = False, check: Callable[[Request], None] | None = None
) -> AsyncIterator[tuple[Upstream, Served]]:
    """The vendor, answering the main request so (None = as it should), and the provider that asks it."""
    routes = {**case.routes, case.route: case.reply if answer is None else answer}
    async with Upstream(routes, check=check) as upstream:
        settings = {**case.settings, **(QUICK if quick else {}), "base_url": upstream.url + case.base}
        provider = case.provider()
        with key_of(provider):
            async with serve(provider, provider_id=case.vendor, settings=settings) as served:
                yield upstream, served


@contextlib.contextmanager
def key_of(provider: Provider) -> Iterator[None]:
    """The made-up key in this process, as the host sets it by Configure."""
    variable = getattr(getattr(provider, "vendor", None), "key", "")
    before = os.environ.get(variable)
    if variable:
        os.environ[variable] = KEY
    try:
        yield
    finally:
        if variable and before is None:
            os.environ.pop(variable, None)
        elif variable and before is not None:
            os.environ[variable] = before


def main_requests(upstream: Upstream, case: Case) -> list[Request]:
    """Those that the case is about."""
    return [r for r in upstream.requests if (r.method, r.path) == (case.method, case.path)]


async def main_request(upstream: Upstream, case: Case) -> Request:
    """The first of them; waits until it has come."""
    number = 0
    while True:
        request = await upstream.request(number)
        if (request.method, request.path) == (case.method, case.path):
            return request
        number += 1


def comparable(result: Any) -> Any:
    """A result without what differs from call to call: ids and times."""
    if not isinstance(result, Result):
        return result
    return {
        "outputs": [(plain(o.started), o.media_type, o.text, o.data, plain(o.part)) for o in result.outputs],
        "finishes": [plain(finish) for finish in result.finishes],
        "usage": plain(result.usage),
        "notices": [plain(notice) for notice in result.notices],
        "vendor": (result.provenance.vendor_model, result.provenance.vendor_response_id),
    }
