# /// script
# requires-python = ">=3.11"
# dependencies = ["anthropic==2.11.0"]
# ///
"""Anthropic's SDK."""

import inspect
import json

from anthropic import Anthropic
from common import answer, run


def messages(asked):
    client = Anthropic(base_url=asked["url"], api_key=asked["key"], max_retries=0)
    body = {key: value for key, value in asked["body"].items() if key != "stream"}
    known = inspect.signature(client.messages.stream).parameters
    # What the API describes and the SDK has no parameter for.
    more = {key: body.pop(key) for key in list(body) if key not in known}
    with client.messages.stream(**body, extra_body=more) as stream:
        final = stream.get_final_message()
    return answer(
        text="".join(block.text for block in final.content if block.type == "text"),
        reasoning="".join(block.thinking for block in final.content if block.type == "thinking"),
        tool_calls=[
            (block.id, block.name, json.dumps(block.input)) for block in final.content if block.type == "tool_use"
        ],
        finish=final.stop_reason,
        tokens=(
            final.usage.input_tokens
            + (final.usage.cache_read_input_tokens or 0)
            + (final.usage.cache_creation_input_tokens or 0),
            final.usage.output_tokens,
        ),
    )


run({"messages": messages, "tools": messages, "thinking": messages})
