"""A call's keywords and content, made into the messages that ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mediaconduit.content import Content, Draft, drafts
from mediaconduit.options import check_keywords, preferences, seconds, transform_options
from mediaconduit.uploads import Upload, plan
from mediaconduit.v1.transform_pb2 import TransformRequest


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request, checked, before any file is touched."""

    request: TransformRequest
    """Without turns."""
    drafts: Sequence[Draft]
    timeout: float | None
    """Seconds."""

    async def packed(self) -> tuple[TransformRequest, list[Upload]]:
        """The message to send, and what follows it in chunks."""
        planned = await plan(self.drafts)
        request = TransformRequest()
        request.CopyFrom(self.request)
        request.turns.extend(planned.turns)
        return request, planned.uploads


def said(content: Content, keywords: Mapping[str, Any]) -> list[Draft]:
    """The turns of the content with what ``system=`` and ``inputs=`` add to it."""
    check_keywords(keywords)
    return drafts(content, inputs=keywords.get("inputs"), system=keywords.get("system") or "")


def prepare(model: str, turns: Sequence[Draft], keywords: Mapping[str, Any]) -> Prepared:
    """Checks and translates. Raises TypeError for keywords and content there is no such thing as.

    Args:
        model: Its name; empty when a capability chooses.
        turns: The input.
        keywords: As in `mediaconduit.options.Request`; ``system`` and ``inputs`` are in the turns already.
    """
    check_keywords(keywords)
    request = TransformRequest(
        model=model,
        capability=keywords.get("capability") or "",
        options=transform_options(keywords),
        request_id=str(keywords.get("request_id") or ""),
        parent_generations=keywords.get("parent_generations") or (),
        labels=keywords.get("labels") or {},
        affinity_key=keywords.get("affinity_key") or "",
        resume_token=keywords.get("resume_token") or b"",
    )
    if (preferred := keywords.get("preferences")) is not None:
        request.preferences.CopyFrom(preferences(preferred))
    timeout = keywords.get("timeout")
    return Prepared(request, turns, None if timeout is None else seconds(timeout))
