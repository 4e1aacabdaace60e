"""Text by chat or by responses, as what is asked for needs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from mediaconduit_provider import Call

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.openai.gpt_chat import GptChat
from mediaconduit_vendors.openai.operation import Outputs
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.openai.responses import Responses
from mediaconduit_vendors.options import refused


class Text:
    """One model by two APIs: responses for models that reason and for hosted tools, a chat for all else.

    An option that only one of them has chooses it, and so does ``extra.api``.

    Args:
        chat: The one.
        responses: The other.
    """

    def __init__(self, chat: GptChat, responses: Responses) -> None:
        self._chat = chat
        self._responses = responses
        self.options: Mapping[str, Schema] = {
            **chat.options,
            **responses.options,
            "extra.api": {"enum": ["chat", "responses"]},
        }

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """As chat and responses do."""
        operation = self.chosen(call)
        foreign = _given(call, self._only(self._chat if operation is self._responses else self._responses))
        for notice in refused(call, foreign, f"is not taken together with what needs {operation.path}"):
            yield notice
        async with aclosing(operation(api, call)) as work:
            async for yielded in work:
                yield yielded

    def chosen(self, call: Call) -> GptChat | Responses:
        """What does the work."""
        if api := call.option("extra.api"):
            return self._responses if api == "responses" else self._chat
        if any(tool.hosted_tool for tool in call.options.text.tools) or _given(call, self._only(self._responses)):
            return self._responses
        if _given(call, self._only(self._chat)):
            return self._chat
        return self._responses if "reasoning" in call.model.features else self._chat

    def _only(self, operation: Any) -> list[str]:
        other = self._chat if operation is self._responses else self._responses
        return [path for path in operation.options if path not in other.options]


def _given(call: Call, paths: list[str]) -> list[str]:
    return [path for path in paths if call.option(path) is not None]
