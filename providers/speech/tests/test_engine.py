"""The engine process and the pool, without a host."""

from __future__ import annotations

import array
import asyncio
import contextlib
import math
import operator
import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import espeakng_loader
import pytest
from conftest import LONG, engine_processes, written
from mediaconduit.errors import InvalidRequestError, UnavailableError
from mediaconduit.tasks import cancel_and_join, start
from speech_provider import engine as program
from speech_provider import frames
from speech_provider.engine import Manner
from speech_provider.espeak import END, SENTENCE, WORD, Mark
from speech_provider.pool import READ_AHEAD, Engine, EnginePool
from speech_provider.utterance import engine_pitch

PLAIN: Manner = {"voice": "gmw/en-US", "rate": 175, "pitch": 50, "word_gap": 0, "gain": 1.0, "big_endian": False}


async def say(engine: Engine, text: str, *, ssml: bool = False, **changes: object) -> tuple[bytes, list[Mark]]:
    engine.configure(PLAIN | changes)  # type: ignore[operator]
    audio, marks = bytearray(), []
    async for item in engine.speak(text, ssml=ssml):
        if isinstance(item, bytes):
            audio += item
        else:
            marks += item
    return bytes(audio), marks


def loudness(audio: bytes, *, swapped: bool = False) -> float:
    samples = array.array("h", audio)
    if swapped:
        samples.byteswap()
    return (sum(sample * sample for sample in samples) / len(samples)) ** 0.5


async def test_it_makes_audible_speech(engine: Engine) -> None:
    audio, _ = await say(engine, "Hello there, world.")
    assert engine.facts.sample_rate == 22050
    assert 1.0 < len(audio) / 2 / 22050 < 3.0
    assert loudness(audio) > 500


async def test_audio_comes_while_it_is_made(engine: Engine) -> None:
    engine.configure(PLAIN)
    async with contextlib.aclosing(engine.speak(LONG)) as spoken:
        async for item in spoken:
            if isinstance(item, bytes):
                break
        assert engine.alive
        assert len(item) <= 2 * 22050 // 10 + 2  # a tenth of a second, of minutes


async def test_a_reader_that_stops_stalls_the_engine(engine: Engine) -> None:
    engine.configure(PLAIN)
    spoken = engine.speak(LONG)
    await anext(spoken)
    other = await Engine.start()
    try:
        audio, _ = await say(other, LONG)  # time enough for the first one to run away, were nothing holding it
    finally:
        await other.close()
    made = written(engine.pid)
    await spoken.aclose()
    pipe = 64 * 1024
    assert 0 < made < pipe + 4 * READ_AHEAD + 32 * 1024 < len(audio) / 10


async def test_the_same_text_always_sounds_the_same() -> None:
    voices = ["gmw/en-US", "gmw/en-US+f3", "gmw/en-US+whisper", "gmw/de+klatt4"]

    async def all_voices() -> list[bytes]:
        made = []
        for voice in voices:
            engine = await Engine.start()
            await engine.voices()  # work before it speaks changes nothing either
            made.append((await say(engine, "The same, 1234 times over.", voice=voice))[0])
            await engine.close()
        return made

    first = await all_voices()
    await asyncio.sleep(1 - time.time() % 1)  # until the next second: the engine's own seed would be the time
    assert await all_voices() == first


async def test_marks_count_characters_and_samples(engine: Engine) -> None:
    text = "Süße Töne. One two."
    audio, marks = await say(engine, text)
    words = [text[m.position : m.position + m.length] for m in marks if m.kind == WORD]
    assert words == ["Süße", "Töne", "One", "two"]
    assert [m.position for m in marks if m.kind == SENTENCE] == [0, 11]
    samples = [m.sample for m in marks]
    assert samples == sorted(samples)
    assert marks[-1].kind == END and abs(samples[-1] - len(audio) // 2) < 2205


async def test_texts_of_one_engine_follow_each_other_in_time(engine: Engine) -> None:
    first, _ = await say(engine, "First sentence.")
    marks = [mark async for item in engine.speak("Second.") if isinstance(item, list) for mark in item]
    assert marks[0].sample == len(first) // 2


@pytest.mark.parametrize(("rate", "least", "most"), [(88, 1.7, 2.6), (350, 0.3, 0.6), (525, 0.2, 0.45)])
async def test_speed_changes_the_length(rate: int, least: float, most: float) -> None:
    lengths = []
    for words_per_minute in (175, rate):
        engine = await Engine.start()
        audio, _ = await say(engine, "This is spoken at another speed, and it takes a while.", rate=words_per_minute)
        lengths.append(len(audio))
        await engine.close()
    assert least < lengths[1] / lengths[0] < most


async def test_a_pause_between_words_makes_it_longer() -> None:
    lengths = []
    for gap in (0, 50):
        engine = await Engine.start()
        audio, _ = await say(engine, "one two three four five", word_gap=gap)
        lengths.append(len(audio) / 2 / 22050)
        await engine.close()
    assert 4 * 0.5 < lengths[1] - lengths[0] < 6 * 0.6  # the engine's pauses are a little longer than asked


def fundamental(audio: bytes) -> float:
    """Hertz, from the strongest self-similarity of 60 ms in the middle."""
    samples = array.array("h", audio)
    middle, window = len(samples) // 2, 22050 * 60 // 1000
    frame = samples[middle : middle + window * 2]
    likeness = {lag: sum(map(operator.mul, frame[:window], frame[lag : lag + window])) for lag in range(50, 450)}
    strongest = max(likeness.values())
    return 22050 / min(lag for lag, value in likeness.items() if value > 0.95 * strongest)


@pytest.mark.parametrize("voice", ["gmw/en-US", "gmw/en-US+f3"])
async def test_pitch_moves_by_semitones(voice: str) -> None:
    heard = {}
    for semitones in (0, 7, -7):
        engine = await Engine.start()
        vowel = "<speak><prosody range='0'>aaaaah</prosody></speak>"
        audio, _ = await say(engine, vowel, ssml=True, voice=voice, pitch=engine_pitch(semitones))
        heard[semitones] = fundamental(audio)
        await engine.close()
    assert 12 * math.log2(heard[7] / heard[0]) == pytest.approx(7, abs=1)
    assert 12 * math.log2(heard[-7] / heard[0]) == pytest.approx(-7, abs=1)


async def test_gain_scales_and_clips() -> None:
    loud = {}
    for decibels in (-20, 0, 20):
        engine = await Engine.start()
        audio, _ = await say(engine, "Hello there", gain=10 ** (decibels / 20))
        loud[decibels] = loudness(audio)
        await engine.close()
    assert loud[-20] == pytest.approx(loud[0] / 10, rel=0.02)
    assert loud[0] * 2 < loud[20] <= 32767


async def test_big_endian_swaps_the_bytes() -> None:
    made = []
    for big in (False, True):
        engine = await Engine.start()
        audio, _ = await say(engine, "Hello", big_endian=big)
        made.append(array.array("h", audio))
        await engine.close()
    made[1].byteswap()
    assert made[0] == made[1]


async def test_ssml_breaks_are_silence(engine: Engine) -> None:
    audio, _ = await say(engine, '<speak>a<break time="1500ms"/>b</speak>', ssml=True)
    assert len(audio) / 2 / 22050 > 1.5


async def test_ssml_cannot_open_files(engine: Engine, tmp_path: Path) -> None:
    sound = tmp_path / "secret.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes(b"\x00\x40\x00\xc0" * 110_250)  # ten seconds
    audio, _ = await say(engine, f'<speak>a <audio src="{sound}">b</audio> c</speak>', ssml=True)
    assert 0.2 < len(audio) / 2 / 22050 < 3


async def test_a_voice_it_cannot_load_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidRequestError, match="cannot load the voice"):
        await say(engine, "Hello", voice="gmw/nowhere")


async def test_a_killed_engine_is_a_typed_error_and_the_next_one_speaks(pool: EnginePool) -> None:
    async with pool.engine() as engine:
        engine.configure(PLAIN)
        spoken = engine.speak(LONG)
        await anext(spoken)
        os.kill(engine.pid, signal.SIGSEGV)
        with pytest.raises(UnavailableError, match="SIGSEGV") as caught:
            async for _ in spoken:
                pass
        assert caught.value.metadata == {"signal": "11"} and caught.value.retryable
    async with pool.engine() as engine:
        assert loudness((await say(engine, "Hello"))[0]) > 500


async def test_an_engine_that_died_while_it_waited_is_not_given_out(pool: EnginePool) -> None:
    dead = await Engine.start()
    await dead.close()
    pool.put(dead)
    async with pool.engine() as engine:
        assert engine is not dead
        assert loudness((await say(engine, "Hello"))[0]) > 500


async def test_two_speak_at_once(pool: EnginePool) -> None:
    async with pool.engine() as one, pool.engine() as other:
        one.configure(PLAIN)
        other.configure(PLAIN)
        first, second = one.speak(LONG), other.speak(LONG)
        for _ in range(20):  # in turns: neither waits for the other to end
            await anext(first)
            await anext(second)
        await first.aclose()
        await second.aclose()


async def test_cancelling_whoever_reads_ends_the_engine(pool: EnginePool) -> None:
    speaking = asyncio.Event()

    async def read() -> None:
        async with pool.engine() as engine:
            engine.configure(PLAIN)
            async for _ in engine.speak(LONG * 20):
                speaking.set()

    task = start(read(), name="reader")
    await speaking.wait()
    await cancel_and_join(task)
    await pool.close()
    assert task.cancelled()
    assert engine_processes() == set()


async def test_the_pool_keeps_one_ready(pool: EnginePool) -> None:
    pool.refill()
    await pool.ready()
    (warm,) = engine_processes()
    async with pool.engine() as first:
        assert first.pid == warm
        await pool.ready()
        (next_one,) = engine_processes() - {warm}
    async with pool.engine() as second:
        assert second.pid == next_one


def test_an_engine_whose_parent_is_gone_exits() -> None:
    command = [
        *(sys.executable, "-I", "-S", str(Path(program.__file__))),
        *(espeakng_loader.get_library_path(), espeakng_loader.get_data_path()),
    ]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith(frames.READY)


def test_an_engine_whose_reader_is_gone_stops_speaking() -> None:
    command = [
        *(sys.executable, "-I", "-S", str(Path(program.__file__))),
        *(espeakng_loader.get_library_path(), espeakng_loader.get_data_path()),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        process.stdin.write(frames.frame(frames.TEXT, (LONG * 20).encode()))
        process.stdin.flush()
        process.stdout.read(100)
        process.stdout.close()
        assert process.wait(timeout=60) == 0


def test_an_engine_without_its_library_says_so() -> None:
    command = [sys.executable, "-I", "-S", str(Path(program.__file__)), "/nowhere.so", "/nowhere"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stdout == frames.frame(frames.REFUSED, b"eSpeak NG does not start")
