"""The provider behind a real server, asked by a real client."""

from __future__ import annotations

import array
import asyncio
import io
import os
import signal
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import LONG, engine_processes, exited, speaking_engines, written
from mediaconduit.calls import Stream
from mediaconduit.content import Media, assistant, system, user
from mediaconduit.errors import InvalidRequestError, Reason, UnavailableError
from mediaconduit.events import TranscriptDelta
from mediaconduit.v1.voices_pb2 import VoiceOrigin
from mediaconduit_provider.testing import Served, serve
from speech_provider import Speech
from speech_provider.formats import L16, wav_header

L16_TYPE = "audio/L16"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve(Speech(), provider_id="speech") as running:
        yield running


def samples(wav: bytes) -> array.array[int]:
    with wave.open(io.BytesIO(wav)) as opened:
        assert (opened.getframerate(), opened.getnchannels(), opened.getsampwidth()) == (22050, 1, 2)
        return array.array("h", opened.readframes(opened.getnframes()))


def loudness(audio: array.array[int]) -> float:
    return (sum(sample * sample for sample in audio) / len(audio)) ** 0.5


async def first_sound(stream: Stream) -> bytes:
    """The first bytes of audio; the call goes on."""
    while not (event := await anext(stream)).data:
        pass
    return event.data


async def to_the_end(stream: Stream) -> None:
    while True:
        await anext(stream)


async def test_text_becomes_a_wav_with_facts_and_usage(served: Served) -> None:
    result = await served.model("default").transform("Hello there, world.")
    audio = samples(result.data)
    (output,) = result.outputs
    seconds = output.info.duration.ToMicroseconds() / 1e6
    assert output.media_type == "audio/wav"
    assert loudness(audio) > 500
    assert seconds == pytest.approx(len(audio) / 22050, abs=1e-4) and 1 < seconds < 3
    assert (output.info.sample_rate, output.info.channels) == (22050, 1)
    assert dict(result.usage.units) == {"character": 19, "audio-millisecond": int(seconds * 1000)}
    assert result.usage.HasField("nano_cost") and result.usage.nano_cost == 0
    assert result.provenance.vendor_model.startswith("espeak-ng 1.")


async def test_a_streamed_wav_says_that_its_length_is_unknown(served: Served) -> None:
    async with served.model("default").stream("Hello.") as stream:
        assert (await first_sound(stream)).startswith(wav_header())
    assert wav_header()[40:44] == b"\xff\xff\xff\xff"


async def test_a_saved_wav_has_its_true_length(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "hello.wav"
    result = await served.model("default").transform("Hello there, world.", to=path)
    content = path.read_bytes()
    assert content[:44] == wav_header(len(content) - 44)
    with wave.open(str(path)) as opened:
        assert opened.getnframes() == (result.outputs[0].info.duration.ToMicroseconds() * 22050 + 999_999) // 1_000_000


async def test_the_same_request_gives_the_same_bytes(served: Served) -> None:
    first, second = [await served.model("default").transform("Once, or 2 times.") for _ in range(2)]
    assert first.data == second.data


async def test_audio_comes_before_the_utterance_is_made(served: Served) -> None:
    async with served.model("default").stream(LONG * 20) as stream:
        first = await first_sound(stream)
        (engine,) = speaking_engines()
        assert len(first) <= written(engine) < 2_000_000  # of 150 MB


async def test_bare_samples_have_the_high_byte_first(served: Served) -> None:
    model = served.model("default")
    wav = await model.transform("Hello there")
    bare = await model.transform("Hello there", output_media_types=[L16_TYPE])
    assert bare.outputs[0].media_type == L16
    swapped = array.array("h", bare.data)
    swapped.byteswap()
    assert swapped == samples(wav.data)


async def test_options_change_the_speech(served: Served) -> None:
    model = served.model("default")
    plain = samples((await model.transform("This is a test of options.")).data)

    async def with_options(**options: object) -> array.array[int]:
        return samples((await model.transform("This is a test of options.", **options)).data)  # type: ignore[arg-type]

    assert len(await with_options(audio={"speed": 2})) < 0.7 * len(plain)
    assert len(await with_options(audio={"speed": 0.5})) > 1.5 * len(plain)
    assert loudness(await with_options(audio={"gain_db": -20})) < 0.2 * loudness(plain)
    assert len(await with_options(extra={"word_gap": 300})) > len(plain) + 0.9 * 22050
    assert await with_options(audio={"pitch": 5}) != plain
    assert await with_options(audio={"voice": "f3"}) != plain
    assert await with_options(audio={"language": "de"}) != plain
    assert await with_options(audio={"voice": "providers/speech/voices/en-US"}) == plain


async def test_voices_are_discovered(served: Served) -> None:
    voices = {voice.name.rpartition("/")[2]: voice for voice in await served.client.voices()}
    assert len(voices) > 200
    assert voices["en-US"].languages[0] == "en-us"
    assert voices["f3"].labels["gender"] == "female" and not voices["f3"].languages
    assert voices["de"].origin == VoiceOrigin.VOICE_ORIGIN_BUILT_IN


async def test_an_unknown_voice_is_told_the_nearest(served: Served) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await served.model("default").transform("Hello", audio={"voice": "en-USA"})
    (violation,) = caught.value.fields
    assert violation.field == "options.audio.voice" and "en-US" in violation.description


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"audio": {"speed": 9}}, "options.audio.speed"),
        ({"audio": {"pitch": -40}}, "options.audio.pitch"),
        ({"audio": {"times": "character"}}, "options.audio.times"),
        ({"audio": {"language": "xx"}}, "options.audio.language"),
        ({"extra": {"word_gap": -1}}, "options.extra.word_gap"),
        ({"text": {"temperature": 1}}, "options.text.temperature"),
        ({"output_media_types": ["audio/mpeg"]}, "options.output_media_types"),
    ],
)
async def test_options_out_of_range_are_named(served: Served, options: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await served.model("default").transform("Hello", **options)  # type: ignore[arg-type]
    assert [violation.field for violation in caught.value.fields] == [field]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "  \n ",
        Media(b"\xff\xfe\xfd", "text/plain"),
        Media(b"<speak>open", "application/ssml+xml"),
        Media(b"RIFF", "audio/wav"),
    ],
)
async def test_what_cannot_be_spoken_is_refused(served: Served, content: str | Media) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await served.model("default").transform(content)
    assert caught.value.reason is Reason.INPUT_INVALID and caught.value.fields
    assert (await served.model("default").transform("Hello")).data


async def test_a_text_that_is_too_large_is_refused(served: Served) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await served.model("default").transform("word " * 300_000)
    assert caught.value.reason is Reason.INPUT_TOO_LARGE


async def test_ssml_is_spoken(served: Served) -> None:
    ssml = Media(b'<speak>One <break time="2s"/> two.</speak>', "application/ssml+xml")
    assert len(samples((await served.model("default").transform(ssml)).data)) > 2 * 22050


async def test_word_times_come_as_a_transcript(served: Served) -> None:
    result = await served.model("default").transform("Hello there. Good bye!", audio={"times": "word"})
    assert result.transcript is not None
    first, second = result.transcript.segments
    assert (first.text, second.text) == ("Hello there.", "Good bye!")
    assert [word.text for word in first.words] == ["Hello", "there"]
    end = second.end_offset.ToMicroseconds() / 1e6
    assert end == pytest.approx(result.outputs[0].info.duration.ToMicroseconds() / 1e6, abs=0.2)
    assert first.end_offset.ToMicroseconds() <= second.start_offset.ToMicroseconds()


async def test_sentence_times_have_no_words(served: Served) -> None:
    result = await served.model("default").transform("Hello there.", audio={"times": "segment"})
    assert result.transcript is not None and not result.transcript.segments[0].words


async def test_times_come_while_the_rest_is_made(served: Served) -> None:
    async with served.model("default").stream(LONG * 20, audio={"times": "word"}) as stream:
        while not isinstance(await anext(stream), TranscriptDelta):
            pass
        assert len(speaking_engines()) == 1


async def test_speakers_have_voices_of_their_own(served: Served) -> None:
    result = await served.model("default").transform(
        [user("How are you?", name="Ann"), user("Fine.", name="Bob")],
        audio={"times": "segment", "speakers": [{"name": "Ann", "voice": "f3"}, {"name": "Bob", "voice": "en"}]},
    )
    assert result.transcript is not None
    assert [(s.text, s.speaker) for s in result.transcript.segments] == [("How are you?", "Ann"), ("Fine.", "Bob")]
    alone = samples((await served.model("default").transform("How are you?", audio={"voice": "f3"})).data)
    both = samples(result.data)
    assert both[: len(alone)] == alone
    assert result.transcript.segments[1].start_offset.ToMicroseconds() == len(alone) * 1_000_000 // 22050


async def test_a_conversation_speaks_what_was_not_spoken_yet(served: Served) -> None:
    model = served.model("default")
    again = await model.transform([user("Long ago."), assistant("Spoken."), user("Now.")])
    assert again.data == (await model.transform("Now.")).data


async def test_instructions_are_said_to_be_ignored(served: Served) -> None:
    result = await served.model("default").transform([system("Whisper."), user("Hello.")])
    assert [notice.code for notice in result.notices] == ["INSTRUCTIONS_IGNORED"]


async def test_two_calls_stream_at_once(served: Served) -> None:
    model = served.model("default")
    async with model.stream(LONG * 20) as one, model.stream(LONG * 20) as other:
        for _ in range(10):
            await anext(one)
            await anext(other)
        assert len(speaking_engines()) == 2


async def test_a_reader_that_stops_stalls_the_engine(served: Served) -> None:
    model = served.model("default")
    async with model.stream(LONG * 5) as stalled:
        await first_sound(stalled)
        (engine,) = speaking_engines()
        whole = await model.transform(LONG * 5)  # time enough for the first to run away
        assert 0 < written(engine) < 3_000_000 < len(whole.data) / 10


async def test_cancelling_a_call_ends_its_engine(served: Served) -> None:
    async with served.model("default").stream(LONG * 20) as stream:
        await first_sound(stream)
        (speaking,) = speaking_engines()
    await exited(speaking)


async def test_a_crash_ends_its_own_call_and_the_next_one_speaks(served: Served) -> None:
    model = served.model("default")
    async with model.stream(LONG * 20) as stream:
        await first_sound(stream)
        (engine,) = speaking_engines()
        async with model.stream(LONG * 20) as other:
            await first_sound(other)
            os.kill(engine, signal.SIGSEGV)
            with pytest.raises(UnavailableError) as caught:
                await to_the_end(stream)
            assert await first_sound(other)
    assert caught.value.reason is Reason.VENDOR_UNAVAILABLE and caught.value.retryable
    assert caught.value.metadata["signal"] == "11"
    assert samples((await model.transform("Hello")).data)


async def test_a_text_may_arrive_in_pieces(served: Served) -> None:
    heard = asyncio.Event()

    async def text() -> AsyncIterator[bytes]:
        yield b"The first sentence. The "
        await heard.wait()  # spoken before the rest is known
        yield b"second one."

    async with served.model("default").stream(
        Media(text(), "text/plain"), audio={"times": "segment"}, gather=True
    ) as stream:
        async for event in stream:
            if event.data:
                heard.set()
        result = stream.result
    assert result.transcript is not None
    assert [segment.text for segment in result.transcript.segments] == ["The first sentence.", "The second one."]
    assert len(samples(result.data)) > 22050


async def test_settings_choose_the_voice_of_calls_that_name_none() -> None:
    async with serve(Speech(), settings={"voice": "de", "warm_engines": 0}) as german:
        spoken = (await german.model("default").transform("Hallo.")).data
        assert spoken == (await german.model("default").transform("Hallo.", audio={"voice": "de"})).data
        assert spoken != (await german.model("default").transform("Hallo.", audio={"voice": "en-US"})).data


async def test_a_setting_that_names_no_voice_is_refused(served: Served) -> None:
    with pytest.raises(InvalidRequestError, match=r"settings\.voice"):
        await served.client.provider("speech").configure({"voice": "nobody"})


async def test_stopping_the_server_ends_all_engines() -> None:
    async with serve(Speech(), provider_id="speech") as running:
        async with running.model("default").stream(LONG * 20) as stream:
            await first_sound(stream)
        engines = engine_processes()
    assert engines and not engine_processes()
