"""Models of OpenRouter's lists."""

from __future__ import annotations

from typing import Any

from mediaconduit_vendors.openrouter.models import model_of, unlisted
from mediaconduit_vendors.openrouter.options import ALWAYS, CHAT_OPTIONS, PARAMETERS, chat_options
from mediaconduit_vendors.prices import from_openrouter
from mediaconduit_vendors.provider import VendorModel


def entry(*parameters: str, reads: tuple[str, ...] = ("text",), makes: tuple[str, ...] = ("text",), **more: Any) -> Any:
    return {
        "id": "author/model",
        "name": "Author: Model",
        "description": "First.\nSecond.",
        "context_length": 8192,
        "architecture": {"input_modalities": list(reads), "output_modalities": list(makes)},
        "pricing": {"prompt": "0", "completion": "0"},
        "supported_parameters": list(parameters),
        **more,
    }


def made(listed: Any, drawing: Any = None) -> VendorModel | None:
    return model_of(listed, from_openrouter({"data": [listed]}).get("author/model"), drawing)


def test_a_model_takes_what_it_is_listed_with_and_what_routes_it() -> None:
    options = chat_options(entry("temperature", "tools", "made_up_parameter"))
    own = {"text.temperature", "text.tools", "text.tool_choice", "text.allowed_tools"}
    assert set(options) == own | set(ALWAYS)


def test_every_parameter_stands_for_options_there_are() -> None:
    assert {path for paths in PARAMETERS.values() for path in paths} <= set(CHAT_OPTIONS)


def test_how_hard_a_model_thinks_is_said_in_its_own_words() -> None:
    reasoning = {"supported_efforts": ["high", None, "low"], "supports_max_tokens": True}
    options = chat_options(entry("reasoning", reasoning=reasoning))
    assert options["text.reasoning_effort"] == {"enum": ["low", "high"]}
    assert "text.max_reasoning_tokens" in options
    assert "text.max_reasoning_tokens" not in chat_options(entry("reasoning"))


def test_models_alike_share_their_options() -> None:
    assert chat_options(entry("seed", "stop")) is chat_options(entry("stop", "seed"))


def test_a_model_is_what_it_reads_and_makes() -> None:
    model = made(entry("tools", reads=("text", "image", "audio", "video")))
    assert model is not None
    assert set(model.capabilities) == {"text-to-text", "image-to-text", "audio-to-text", "video-to-text"}
    assert {"tools", "vision", "audio-input", "video-input"} <= set(model.features)
    assert (model.description, model.context_tokens, model.canonical_id) == ("First.", 8192, "author/model")
    assert model.pricing is not None
    assert not model.pricing.rates


def test_a_chat_that_draws_makes_images_too() -> None:
    model = made(entry(reads=("text", "image"), makes=("text", "image")))
    assert model is not None
    assert model.capabilities == ("text-to-text", "image-to-text", "text-to-image", "image-to-image")


def test_a_model_on_both_lists_draws_by_the_api_for_images() -> None:
    drawing = {"id": "author/model", "supported_parameters": {"n": {"type": "range", "min": 1, "max": 4}}}
    model = made(entry(makes=("text", "image")), drawing)
    assert model is not None
    assert model.operations["text-to-image"] is not model.operations["text-to-text"]
    assert model.options["candidates"] == {"type": "integer", "minimum": 1, "maximum": 4}


def test_voices_are_those_the_model_has() -> None:
    speaker = made(entry(makes=("speech",), supported_voices=["alloy", "nova"]))
    assert speaker is not None
    assert speaker.capabilities == ("text-to-audio",)
    assert speaker.options["audio.voice"] == {"enum": ["alloy", "nova"]}
    unsaid = made(entry(makes=("speech",), supported_voices=None))
    assert unsaid is not None
    assert unsaid.options["audio.voice"] == {"type": "string"}


def test_listeners_and_embedders_are_used_as_such() -> None:
    listener, embedder = made(entry(makes=("transcription",))), made(entry(makes=("embeddings",)))
    assert listener is not None
    assert embedder is not None
    assert (listener.capabilities, embedder.capabilities) == (("audio-to-text",), ("text-to-embedding",))


def test_what_has_no_operation_is_left_out() -> None:
    assert made(entry(makes=("rerank",))) is None
    assert made(entry(makes=("video",))) is None


def test_a_variant_is_its_model_at_another_price() -> None:
    listed = made(entry("tools"))
    assert listed is not None
    found = unlisted("author/model:nitro", {"author/model": listed})
    assert found is not None
    assert (found.id, found.pricing, found.options) == ("author/model:nitro", None, listed.options)
    assert unlisted("author/model:made-up", {"author/model": listed}) is None
    assert unlisted("author/other:nitro", {"author/model": listed}) is None


def test_before_there_is_a_list_variants_and_presets_are_taken_at_their_word() -> None:
    assert unlisted("author/other:nitro", {}) is not None
    assert unlisted("@preset/mine", {}) is not None
    assert unlisted("author/other", {}) is None
