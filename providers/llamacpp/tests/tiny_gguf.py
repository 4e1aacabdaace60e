"""A tiny llama with random weights: the real file format, the real engine, a few hundred kilobytes.

``python tiny_gguf.py OUT.gguf`` writes one; tests import `write`. What it says makes no sense, but it is printable
words, the same for the same seed, and it never stops by itself: only a stop sequence, a grammar or a limit ends it.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import gguf
import numpy as np

WORDS = (
    "the of and to in a is that it for on with as was at by this we you are be from have not or an but all they "
    "which one there what so up out if about who get when make can like time no just him know take people into year "
    "your good some could them see other than then now look only come its over think also back after use two how our "
    "work first well way even new want because any these give day most us cow moo grass milk field barn"
).split()
CHAT_TEMPLATE = """\
{%- if tools %}<system>
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools></system>
{% endif %}
{%- for message in messages %}
{%- if message.role == "tool" %}<user>
<tool_response>
{{ message.content }}
</tool_response></user>
{% else %}<{{ message.role }}>
{{- message.content or "" }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}</{{ message.role }}>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<assistant>{% endif %}"""
CALL = "<tool_call>\n"
"""Begins a call of a tool, for `write(says=…)`."""
WIDTH, LAYERS, HEADS, FORWARD = 32, 2, 2, 64


def tokens() -> Iterator[tuple[str, float, gguf.TokenType]]:
    """Text, score and type of every token: control, every byte, printable characters, words."""
    yield "<unk>", 0.0, gguf.TokenType.UNKNOWN
    yield "<s>", 0.0, gguf.TokenType.CONTROL
    yield "</s>", 0.0, gguf.TokenType.CONTROL
    for byte in range(256):
        yield f"<0x{byte:02X}>", 0.0, gguf.TokenType.BYTE
    for code in range(33, 127):
        yield chr(code), -1000.0, gguf.TokenType.NORMAL
    yield "▁", -1000.0, gguf.TokenType.NORMAL
    for rank, word in enumerate(WORDS):
        # Pieces are merged pairwise, so that every beginning of a word must be a token too.
        for end in range(1, len(word) + 1):
            yield "▁" + word[:end], -rank - 100.0 / end, gguf.TokenType.NORMAL


def write(
    path: Path, *, seed: int = 0, context: int = 8192, says: Sequence[str] = (), pooling: gguf.PoolingType | None = None
) -> Path:
    """Writes the model and returns where it is.

    Args:
        path: The file to write.
        seed: Of the random weights.
        context: Tokens it claims to be trained for.
        says: The only tokens it is likely to say, tokens of their own; the words without it.
        pooling: Makes it a model for embeddings.
    """
    vocabulary = {text: (score, kind) for text, score, kind in tokens()}
    vocabulary |= {text: (0.0, gguf.TokenType.USER_DEFINED) for text in says if text not in vocabulary}
    likely = set(says) or {"▁" + word for word in WORDS}
    spoken = np.array([text in likely for text in vocabulary])
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny-random-llama")
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(vocabulary))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(list(vocabulary))
    writer.add_token_scores([score for score, _ in vocabulary.values()])
    writer.add_token_types([kind for _, kind in vocabulary.values()])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)
    if pooling is not None:
        writer.add_pooling_type(pooling)
    for name, weights in tensors(np.random.default_rng(seed), spoken):
        writer.add_tensor(name, weights.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tensors(random: np.random.Generator, spoken: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Name and values of every tensor; only tokens that are `spoken` are ever likely."""
    embedding = random.normal(size=(spoken.size, WIDTH))
    embedding[:, 0] = 8.0  # a constant, which the last layer reads as a bias for or against a token
    output = random.normal(scale=0.6, size=(spoken.size, WIDTH))
    output[:, 0] = np.where(spoken, 4.0, -4.0)
    yield "token_embd.weight", embedding
    yield "output.weight", output
    yield "output_norm.weight", np.ones(WIDTH)
    for layer in range(LAYERS):
        yield f"blk.{layer}.attn_norm.weight", np.ones(WIDTH)
        yield f"blk.{layer}.ffn_norm.weight", np.ones(WIDTH)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{layer}.{name}.weight", random.normal(scale=0.15, size=(WIDTH, WIDTH))
        for name in ("ffn_gate", "ffn_up"):
            yield f"blk.{layer}.{name}.weight", random.normal(scale=0.15, size=(FORWARD, WIDTH))
        yield f"blk.{layer}.ffn_down.weight", random.normal(scale=0.15, size=(WIDTH, FORWARD))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tiny_gguf.py OUT.gguf")
    write(Path(sys.argv[1]))
