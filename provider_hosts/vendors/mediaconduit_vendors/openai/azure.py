"""What Azure does differently with OpenAI's models: deployments, versions, ratings of content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final
from urllib.parse import quote

from mediaconduit_provider import Call, Citation, Score, Scores
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.answer import Answer
from mediaconduit_vendors.failures import Failure
from mediaconduit_vendors.openai.gpt_chat import GPT_CHAT, GptChat
from mediaconduit_vendors.openai.operation import Address
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.vendor import bearer, read_openai_failure

API_VERSION: Final = "2024-10-21"
"""The last one of the deployments' API that is no preview."""
_WITHOUT_VERSION: Final = ("/responses", "/videos")
"""Operations that only the API without versions has; they name the deployment as their model."""


def authorise(key: str) -> Mapping[str, str]:
    """A key of the resource, or a token of Microsoft Entra."""
    return bearer(key) if key.startswith("eyJ") and key.count(".") == 2 else {"api-key": key}


def read_azure_failure(body: Any) -> Failure:
    """OpenAI's style, with ratings of what was refused."""
    failure = read_openai_failure(body)
    error = body.get("error") if isinstance(body, Mapping) else None
    inner = (error.get("innererror") if isinstance(error, Mapping) else None) or {}
    ratings = inner.get("content_filter_result") or inner.get("content_filter_results")
    if not ratings:
        return failure
    code = "content_filter" if inner.get("code") == "ResponsibleAIPolicyViolation" else failure.code
    return replace(failure, code=code, details=(Scores(scores=scores_of(ratings)),))


def scores_of(ratings: Mapping[str, Any]) -> list[Score]:
    """Ratings by category: ``{"hate": {"filtered": false, "severity": "safe"}}``."""
    return [
        Score(label=label, flagged=bool(rating.get("filtered")), grade=str(rating.get("severity") or ""))
        for label, rating in ratings.items()
        if isinstance(rating, Mapping) and "filtered" in rating
    ]


class Deployments(Address):
    """Operations below a deployment, which is what a model is called there.

    Args:
        api_version: Of the deployments' API.
    """

    def __init__(self, api_version: str = API_VERSION) -> None:
        self._api_version = api_version

    def url(self, path: str, call: Call) -> str:
        """The path below the resource's endpoint."""
        if path.startswith(_WITHOUT_VERSION):
            return f"/openai/v1{path}"
        return f"/openai/deployments/{quote(call.model.id, safe='')}{path}"

    def params(self, path: str) -> Mapping[str, str] | None:
        """The version."""
        return None if path.startswith(_WITHOUT_VERSION) else {"api-version": self._api_version}


class AzureChat(GptChat):
    """A chat with a deployment: with ratings of what is said, and sources of the operator's own data."""

    options: ClassVar[Mapping[str, Schema]] = {
        **GPT_CHAT,
        "extra.data_sources": {
            "type": "array",
            "items": {"type": "object", "required": ["type", "parameters"]},
        },
    }

    def safety(self, choice: Mapping[str, Any]) -> Sequence[Score]:
        """Ratings of the answer."""
        return scores_of(choice.get("content_filter_results") or {})

    def delta(
        self, delta: Mapping[str, Any], choice: Mapping[str, Any], answer: Answer, index: int
    ) -> Iterator[Yielded]:
        """What a delta adds, and the sources it is made from, once there is text that has them."""
        yield from super().delta(delta, choice, answer, index)
        sources = (delta.get("context") or {}).get("citations")
        if sources:
            answer.sources = [
                Citation(
                    uri=source.get("url") or source.get("filepath") or "",
                    title=source.get("title") or "",
                    quote=source.get("content") or "",
                )
                for source in sources
            ]
        if answer.said and not index:
            yield from answer.sources
            answer.sources = []
