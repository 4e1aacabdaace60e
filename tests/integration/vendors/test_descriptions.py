"""The vendors' own descriptions can be used to refuse what they do not describe."""

from __future__ import annotations

import pytest

from tests.support.vendors.descriptions import description, why_absent

FILES = (
    "anthropic/openapi.yaml",
    "azure-openai/openapi.json",
    "elevenlabs/openapi.json",
    "gemini/openapi.json",
    "huggingface/openapi-tei.json",
    "huggingface/openapi-tgi.json",
    "kokoro/openapi.json",
    "mistral/openapi.yaml",
    "ollama/openapi.yaml",
    "openai/openapi.json",
    "openrouter/openapi.yaml",
    "speaches/openapi.json",
    "together/openapi.yaml",
    "xai/openapi.yaml",
)


@pytest.mark.parametrize("file", FILES)
def test_nearly_every_body_a_vendor_describes_has_a_schema_that_refuses(file: str) -> None:
    if why := why_absent(file):
        pytest.skip(why)
    checked = [schema for schema in description(file).bodies() if schema is not None]
    lax = sum(1 for schema in checked if schema.validator.is_valid(["made-up"]))
    assert checked
    assert lax <= 1, f"{lax} of {len(checked)} schemas take anything"
