import gguf
import pytest
import tiny_gguf
from llamacpp_provider.config import SCHEMA, read_settings
from mediaconduit_provider import InvalidRequestError, Reason


def damaged(folder, size):
    whole = tiny_gguf.write(folder / "whole.gguf").read_bytes()
    (folder / "cut.gguf").write_bytes(whole[:size])
    return folder / "cut.gguf"


def other_version(folder):
    (folder / "new.gguf").write_bytes(b"GGUF" + (99).to_bytes(4, "little") + bytes(16))
    return folder / "new.gguf"


def other_format(folder):
    (folder / "notes.txt").write_text("not a model at all")
    return folder / "notes.txt"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda folder: folder / "missing.gguf", "no such file"),
        (lambda folder: folder, "folder"),
        (lambda folder: "tiny.gguf", "full path"),
        (other_format, "not a GGUF"),
        (other_version, "version 99"),
        (lambda folder: damaged(folder, 3000), "damaged or incomplete"),
        (lambda folder: damaged(folder, 10), "damaged or incomplete"),
        (lambda folder: damaged(folder, 4), "damaged or incomplete"),
        (lambda folder: tiny_gguf.write(folder / "rank.gguf", pooling=gguf.PoolingType.RANK), "ranks"),
    ],
)
def test_a_wrong_path_is_refused_by_the_name_of_its_setting(tmp_path, make, why):
    with pytest.raises(InvalidRequestError, match=why) as caught:
        read_settings({"model_path": str(make(tmp_path))})
    assert caught.value.reason is Reason.INPUT_INVALID
    assert [found.field for found in caught.value.fields] == ["settings.model_path"]
    assert str(tmp_path) not in str(caught.value)


def test_every_wrong_path_is_named(tmp_path, model_path):
    with pytest.raises(InvalidRequestError) as caught:
        read_settings({"models": {"a": str(tmp_path / "a"), "good": model_path, "b": str(tmp_path)}})
    assert [found.field for found in caught.value.fields] == ["settings.models.a", "settings.models.b"]


def test_one_path_and_several_exclude_each_other(model_path):
    with pytest.raises(InvalidRequestError, match=r"settings\.models"):
        read_settings({"model_path": model_path, "models": {"a": model_path}})


def test_without_a_path_there_is_nothing_to_load():
    assert read_settings({}) == []


def test_a_model_is_named_after_its_file_and_known_by_its_header(model_path):
    (config,) = read_settings({"model_path": model_path})
    assert config.model_id == "tiny"
    assert config.header.architecture == "llama"
    assert config.header.name == "tiny-random-llama"
    assert config.capabilities == ["text-to-text", "text-to-embedding"]


@pytest.mark.parametrize(("wanted", "given"), [(512, 512), (100_000, 8192), (0, 8192)])
def test_the_context_is_what_was_asked_for_and_the_model_was_trained_for(model_path, wanted, given):
    (config,) = read_settings({"model_path": model_path, "context_tokens": wanted})
    assert config.context_tokens == given


def test_a_model_that_pools_only_embeds_and_in_its_own_way(tmp_path):
    path = tiny_gguf.write(tmp_path / "embed.gguf", pooling=gguf.PoolingType.LAST)
    (config,) = read_settings({"models": {"e": str(path)}})
    assert config.capabilities == ["text-to-embedding"]
    assert config.pooling == ""


def test_a_model_that_talks_embeds_by_the_mean_unless_told_otherwise(model_path):
    assert read_settings({"model_path": model_path})[0].pooling == "mean"
    (config,) = read_settings({"model_path": model_path, "pooling": "none"})
    assert config.capabilities == ["text-to-text"]


def test_a_file_written_again_is_another_configuration(tmp_path):
    path = tiny_gguf.write(tmp_path / "m.gguf")
    before = read_settings({"model_path": str(path)})
    assert before == read_settings({"model_path": str(path)})
    tiny_gguf.write(path, seed=1)
    assert before != read_settings({"model_path": str(path)})


def test_every_setting_says_what_it_is():
    assert all(setting["description"] for setting in SCHEMA["properties"].values())
