"""What we make of a vendor's answer is what the vendor's own SDK makes of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from mediaconduit import Result
from mediaconduit.v1.events_pb2 import OutputKind
from mediaconduit_vendors.testing import Request

from tests.integration.vendors.asking import asking
from tests.integration.vendors.made_up import CASE
from tests.integration.vendors.matrix import KEY, Case, all_cases
from tests.support.vendors.sdks import Sdk

PEERS: Mapping[str, Mapping[str, str]] = {
    "openai": {
        "chat": "chat",
        "responses": "responses",
        "embeddings": "embeddings",
        "images": "images",
        "moderation": "moderation",
        "speech": "speech",
        "transcription": "transcription",
    },
    "together": {
        "chat": "chat",
        "chat with vision": "chat",
        "completions": "completions",
        "embeddings": "embeddings",
        "images": "images",
        "rerank": "rerank",
        "speech": "speech",
        "transcription": "transcription",
        "translation": "transcription",
    },
    "mistral": {
        "chat": "chat",
        "embeddings": "embeddings",
        "ocr": "ocr",
        "speech": "speech",
        "transcription": "transcription",
    },
    "anthropic": {"messages": "messages", "tools": "tools", "thinking": "thinking"},
    "gemini": {"stream": "stream", "tools": "tools", "embeddings": "embeddings"},
    "elevenlabs": {"speech": "speech"},
    "openai-compatible": {"chat": "chat"},
    "ollama": {"chat": "chat", "generate": "generate", "embeddings": "embeddings"},
}
"""Operations of the SDKs' scripts, by vendor and row of the matrix."""
SDKS = {"openai-compatible": "openai"}
"""Of vendors that have none of their own name."""
OTHER_WORDS = frozenset({"gemini"})
"""Vendors whose SDK takes other words than the API: its request is not to be ours again."""
TOLD_ANYWAY: Mapping[str, Mapping[str, Any]] = {
    "mistral": {"index": 0, "prefix": False, "include_blocks": True, "diarize": False}
}
"""What an SDK writes into requests by itself, by vendor."""
UNREAD = frozenset(
    {
        "openai/speech, told how",
        "elevenlabs/speech, WAV",
        "together/images, from images",
        "together/transcription, by reference",
    }
)
"""Cases whose answer the SDK hands on as it came (events in place of their audio, samples without a header, a URL), or
that it cannot ask for (audio by reference)."""
SHARED = [CASE, *(case for case in all_cases() if case.operation in PEERS.get(case.vendor, {}))]
SHARED = [case for case in SHARED if case.name not in UNREAD]


@pytest.fixture(scope="module")
def sdks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Sdk]]:
    """One process for all cases of an SDK: importing one takes seconds."""
    items = [item for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    names = {sdk_of(item.callspec.params["case"]) for item in items}
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(Sdk(name, tmp_path_factory.mktemp(name) / "log")) for name in sorted(names)}


def sdk_of(case: Case) -> str:
    return SDKS.get(case.vendor, case.vendor)


@pytest.mark.parametrize("case", SHARED, ids=[case.name for case in SHARED])
async def test_the_official_sdk_reads_the_same(sdks: Mapping[str, Sdk], case: Case) -> None:
    sdk = sdks[sdk_of(case)]
    async with asking(case) as asked:
        ours = decoded(await asked.act())
        mine = await asked.request()
        theirs = await sdk.ask(PEERS[case.vendor][case.operation], asked.upstream.url, KEY, case.model, mine)
        for call, other in zip(ours.get("tool_calls", ()), theirs.get("tool_calls", ()), strict=True):
            call[0] = call[0] if other[0] else ""  # an id that only we need
        assert ours == theirs
        if case.vendor not in OTHER_WORDS:
            told = TOLD_ANYWAY.get(case.vendor, {})
            assert meant(said(asked.requests[-1]), told) == meant(said(mine), told)


def said(request: Request) -> Any:
    """The body of a request; of a form its fields in no order."""
    if request.media_type == "application/json":
        return request.json
    return sorted([field.name, field.data.hex()] for field in request.form)


def meant(body: Any, told: Mapping[str, Any]) -> Any:
    """A body without what says nothing, and what an SDK writes by itself."""
    if isinstance(body, Mapping):
        return {
            name: meant(value, told)
            for name, value in body.items()
            if value not in (None, [], {}, "") and not (name in told and value == told[name])
        }
    if not isinstance(body, list):
        return body
    plain = [[name, json.dumps(value).encode().hex()] for name, value in told.items()]
    return [meant(value, told) for value in body if value not in plain]


def decoded(result: Result) -> dict[str, Any]:
    """A result of ours as the scripts of the SDKs write theirs."""
    if result.embeddings:
        return {"vectors": [[round(value, 5) for value in vector.values] for vector in result.embeddings]}
    files = [output.data for output in result.outputs if output.kind == OutputKind.OUTPUT_KIND_DATA and output.visible]
    if files:
        return {"sha256": [hashlib.sha256(file).hexdigest() for file in files]}
    if result.transcript is not None:
        return {"transcript": result.text}
    if result.scores is not None:
        return {"scores": sorted([score.input, score.label, round(score.value, 5)] for score in result.scores.scores)}
    units = result.usage.units
    return {
        "text": result.text,
        "reasoning": result.reasoning,
        "tool_calls": [[call.id, call.name, json.loads(call.arguments or "{}")] for call in result.tool_calls],
        "finish": result.finishes[0].vendor_reason,
        "input": sum(count for unit, count in units.items() if "input" in unit or "cache" in unit),
        "output": sum(count for unit, count in units.items() if unit.startswith(("output", "reasoning"))),
    }
