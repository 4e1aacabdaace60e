"""Moderation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from mediaconduit_provider import Call, Part, Score, Scores, Turn

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import Inputs, items_of, text_only
from mediaconduit_vendors.openai.operation import Operation, Outputs, facts_of
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import usage_of


class Moderation(Operation):
    """``POST /moderations``: scores by category for each of the caller's turns.

    Texts are judged in one request. An item with images is judged as a whole and is a request of its own: the vendor
    gives one result for them all.
    """

    path: ClassVar[str] = "/moderations"
    places: ClassVar[Mapping[str, str]] = {"input": "turns"}

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """All scores, the gravest first."""
        items = items_of(call)
        scores: list[Score] = []
        judged = 0
        inputs = Inputs(call)
        bodies: list[Any]
        if any(_has_media(turn) for _, turn in items):
            bodies = [[await self.piece(inputs, part, where) for where, part in _parts(item)] for item in items]
        else:
            bodies = [[text_only(turn.parts, where) for where, turn in items]]
        for body in bodies:
            answer, reply = await api.json(self.asked(call, json={"model": self.model_name(call), "input": body}))
            yield facts_of(answer, reply)
            try:
                for result in answer["results"]:
                    scores += scores_of(result, judged)
                    judged += 1
            except (KeyError, TypeError, AttributeError) as error:
                raise not_understood("it holds no scores") from error
        yield Scores(scores=sorted(scores, key=lambda score: -score.value))
        yield usage_of({"request": len(bodies)}, call.model.pricing)

    async def piece(self, inputs: Inputs, part: Part, where: str) -> dict[str, Any]:
        """One piece of an item."""
        if part.HasField("text"):
            return {"type": "text", "text": part.text}
        return {"type": "image_url", "image_url": {"url": await inputs.url(part, where)}}


def scores_of(result: Mapping[str, Any], item: int) -> list[Score]:
    """A result: verdict and strength by category."""
    verdicts = result.get("categories") or {}
    return [
        Score(input=item, label=label, value=value, flagged=bool(verdicts.get(label)))
        for label, value in result["category_scores"].items()
        if value is not None
    ]


def _has_media(turn: Turn) -> bool:
    return any(not part.HasField("text") for part in turn.parts)


def _parts(item: tuple[str, Turn]) -> Iterator[tuple[str, Part]]:
    where, turn = item
    for number, part in enumerate(turn.parts):
        yield f"{where}.parts[{number}]", part
