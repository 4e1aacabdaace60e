# /// script
# requires-python = ">=3.11"
# dependencies = ["anthropic==2.11.0"]
# ///
"""Anthropic's SDK."""

import json

from anthropic import Anthropic
from common import answer, run


def messages(asked):
    client = Anthropic(base_url=asked["url"], api_key=asked["key"], max_retries=0)
    body = {key: value for key, value in asked["body"].items() if key != "stream"}
    with client.messages.stream(**body) as stream:
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
