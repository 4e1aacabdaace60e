from typing import Any

import pytest
from mediaconduit_vendors.openai.compatible import guessed_features, guessed_kind
from mediaconduit_vendors.openai.guesses import guessed_listing
from mediaconduit_vendors.prices import listings


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"id": "Qwen/Qwen2.5-7B-Instruct"}, "chat"),
        ({"id": "gpt-4o-mini-tts"}, "speech"),
        ({"id": "tts-1"}, "speech"),
        ({"id": "hexgrad/Kokoro-82M"}, "speech"),
        ({"id": "suno/bark"}, "speech"),
        ({"id": "whisper-large-v3"}, "transcription"),
        ({"id": "nvidia/parakeet-tdt-0.6b"}, "transcription"),
        ({"id": "BAAI/bge-small-en"}, "embedding"),
        ({"id": "intfloat/e5-large"}, "embedding"),
        ({"id": "nomic-embed-text"}, "embedding"),
        ({"id": "black-forest-labs/FLUX.1-schnell"}, "image"),
        ({"id": "stable-diffusion-xl"}, "image"),
        ({"id": "BAAI/bge-reranker-v2-m3"}, ""),
        ({"id": "odd", "task": "text-to-speech"}, "speech"),
        ({"id": "whisper-of-poems", "type": "llm"}, "chat"),
        ({"id": "odd", "type": "embeddings"}, "embedding"),
        ({"id": "barking-dog"}, "chat"),
    ],
)
def test_a_servers_model_is_used_as_its_entry_or_its_name_says(entry: dict[str, Any], kind: str) -> None:
    assert guessed_kind(entry) == kind


@pytest.mark.parametrize(
    ("name", "features"),
    [
        ("llama-3.1-8b", {"tools", "json-schema"}),
        ("Qwen2.5-VL-7B", {"tools", "json-schema", "vision"}),
        ("gemma-3-12b-it", {"tools", "json-schema", "vision"}),
        ("DeepSeek-R1-Distill", {"tools", "json-schema", "reasoning"}),
    ],
)
def test_features_of_a_chat_are_guessed_from_its_name(name: str, features: set[str]) -> None:
    assert set(guessed_features(name)) == features


def test_guesses_agree_with_what_the_price_file_knows() -> None:
    """Where they do not, what is known counts: the guess is for models that came out later."""
    odd = []
    for model_id, known in listings("openai").items():
        if known.mode in ("realtime", "completion") or not model_id.startswith(("gpt-", "o", "tts-", "text-", "sora-")):
            continue
        guess = guessed_listing(model_id)
        if guess is None or guess.mode != known.mode:
            odd.append(model_id)
    total = len(listings("openai"))
    assert len(odd) <= total // 20, odd


@pytest.mark.parametrize("name", ["gpt-realtime-3", "gpt-live-9", "unknown", "ft:davinci-002:me::1"])
def test_what_is_used_in_no_known_way_is_no_model(name: str) -> None:
    assert guessed_listing(name) is None


def test_a_fine_tuned_model_is_what_its_base_is() -> None:
    found = guessed_listing("ft:gpt-77:org:name:id")
    assert found is not None
    assert (found.model_id, found.mode) == ("ft:gpt-77:org:name:id", "chat")
    assert "reasoning" in found.features
