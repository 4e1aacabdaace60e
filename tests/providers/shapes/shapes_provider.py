"""One model for each of the nine shapes, using nothing but what the contract shares."""

from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from mediaconduit_provider import (
    Call,
    Checkpoint,
    Citation,
    Embedding,
    Facts,
    Finish,
    FinishReason,
    InputSpec,
    InterruptRequest,
    MediaInfo,
    Model,
    Output,
    OutputKind,
    Progress,
    Provider,
    Reasoning,
    RespondRequest,
    Role,
    Score,
    Scores,
    Segment,
    Session,
    Signal,
    SignalKind,
    ToolCall,
    Turn,
    Usage,
    VendorState,
)

STRING, NUMBER, INTEGER, BOOLEAN = ({"type": name} for name in ("string", "number", "integer", "boolean"))
CHAT_OPTIONS = {
    "text.temperature": NUMBER,
    "text.tools": {"type": "array"},
    "text.tool_choice": STRING,
    "text.parallel_tool_calls": BOOLEAN,
    "text.json_schema": STRING,
    "text.reasoning_effort": STRING,
    "seed": INTEGER,
}


def seconds(value: float) -> Duration:
    return Duration(nanos=int(value * 1e9) % 10**9, seconds=int(value))


class Shapes(Provider):
    models = (
        Model("chat", ["text-to-text"], options=CHAT_OPTIONS, features=["tools", "reasoning"]),
        Model("json", ["text-to-text"], options=CHAT_OPTIONS, features=["json-schema"]),
        Model("embed", ["text-to-embedding"], options={"embedding.dimensions": INTEGER, "embedding.purpose": STRING}),
        Model("judge", ["text-to-scores"]),
        Model(
            "transcribe",
            ["audio-to-text"],
            options={"transcript.times": STRING, "transcript.speakers": BOOLEAN, "transcript.language": STRING},
        ),
        Model(
            "speak",
            ["text-to-audio"],
            options={"audio.language": STRING, "audio.speed": NUMBER},
            inputs=[InputSpec("voice", ["audio/*"], required=True), InputSpec("voice-text", ["text/plain"])],
            features=["voice-cloning"],
        ),
        Model(
            "paint",
            ["text-to-image"],
            options={"candidates": INTEGER, "image.previews": INTEGER, "image.aspect_ratio": STRING},
        ),
        Model("film", ["text-to-video"], options={"video.duration": NUMBER, "video.sound": BOOLEAN}),
        Model("converse", ["audio-to-audio"], options={"live.transcribe_input": BOOLEAN}, features=["live"]),
    )

    def transform(self, call: Call) -> AsyncIterator[Any]:
        return getattr(self, f"_{call.model.id}")(call)

    async def _chat(self, call: Call) -> AsyncIterator[Any]:
        results = [part.tool_result for turn in call.turns for part in turn.parts if part.HasField("tool_result")]
        if results:
            states = [part.vendor_state.data for turn in call.turns for part in turn.parts if part.vendor_state.data]
            yield f"It is {results[0].parts[0].text} ({b','.join(states).decode()})."
            yield Citation(start_byte=0, end_byte=5, uri="https://example.org/weather", title="Weather")
            yield Finish(reason=FinishReason.FINISH_REASON_STOP)
            return
        yield Reasoning(text="The caller wants the weather.")
        yield VendorState(provider="shapes", data=b"thought-signature")
        yield ToolCall(id="call-1", name="weather", arguments='{"city": "Bern"}')
        yield ToolCall(id="call-2", name="weather", arguments='{"city": "Basel"}')
        yield Usage(units={"input-token": 12, "output-token": 7, "reasoning-token": 5})
        yield Finish(reason=FinishReason.FINISH_REASON_TOOL_CALLS)

    async def _json(self, call: Call) -> AsyncIterator[Any]:
        out = Output("application/json")
        # Keys in the order of the schema; numbers as written.
        for piece in ('{"zebra": 12, ', '"apple": ', "9007199254740993}"):
            yield out.text(piece)

    async def _embed(self, call: Call) -> AsyncIterator[Any]:
        size = call.option("embedding.dimensions", 4)
        for number, item in enumerate(call.inputs()):
            yield Embedding(values=[float(len(item.text))] * size, input=number)

    async def _judge(self, call: Call) -> AsyncIterator[Any]:
        ranked = sorted(enumerate(call.inputs()), key=lambda pair: -pair[1].text.count(call.system))
        scores = [Score(input=number, value=float(item.text.count(call.system))) for number, item in ranked]
        scores.append(Score(input=0, label="violence", flagged=False, grade="NEGLIGIBLE"))
        yield Scores(scores=scores)

    async def _transcribe(self, call: Call) -> AsyncIterator[Any]:
        size = len(await call.input().read())
        out = Output("text/plain", kind=OutputKind.OUTPUT_KIND_TRANSCRIPT)
        yield out.segment(Segment(id="1", text="hel", provisional=True))
        words = [Segment(text=word, start_offset=seconds(at), end_offset=seconds(at + 0.5)) for at, word in WORDS]
        yield out.segment(Segment(id="1", text="hello there", speaker="A", words=words, confidence=0.9))
        yield out.segment(Segment(id="2", text=f"{size} bytes", speaker="B", start_offset=seconds(1.5)))

    async def _speak(self, call: Call) -> AsyncIterator[Any]:
        sample = await call.input("voice").read()
        out = Output("audio/wav")
        yield out.data(b"RIFF" + sample)
        yield out.data(call.text.encode())
        yield out.done(MediaInfo(duration=seconds(1.25), sample_rate=24000, channels=1))

    async def _paint(self, call: Call) -> AsyncIterator[Any]:
        images = [Output("image/png", candidate=number) for number in range(call.option("candidates", 1))]
        for number, image in enumerate(images):
            yield image
            preview = Output("image/jpeg", preview_of=image)
            yield preview.data(b"blurred %d" % number)
            yield preview.done()
            yield image.data(b"sharp %d" % number)

    async def _film(self, call: Call) -> AsyncIterator[Any]:
        expire = Timestamp(seconds=2_000_000_000)
        resumed = bool(call.resume_token)
        if not resumed:
            yield Progress(stage="queued", queue_position=2)
            yield Checkpoint(resume_token=b"job-7", expire_time=expire)
        for step in (0.25, 0.5, 1.0):
            yield Progress(fraction=step, stage="running", remaining=seconds((1 - step) * 240))
        yield Facts(vendor_model="film-2026", vendor_request_id="req-1")
        out = Output("video/mp4")
        yield out.data(b"resumed" if resumed else b"fresh")
        yield out.done(MediaInfo(duration=seconds(8), width=1280, height=720, frame_rate=24))
        yield Usage(units={"video-millisecond": 8000}, nano_cost=1_200_000_000, currency="USD")

    async def live(self, session: Session) -> AsyncIterator[Any]:
        number = 0
        speech: Output | None = None
        async for piece in session:
            match piece:
                case Turn() as turn:
                    heard = await session.part_input(turn.parts[0]).read()
                    transcript = Output(
                        "text/plain", kind=OutputKind.OUTPUT_KIND_TRANSCRIPT, role=Role.ROLE_USER, turn=number
                    )
                    yield transcript.text(f"{len(heard)} bytes")
                    yield transcript.done()
                case RespondRequest():
                    speech = Output("audio/L16; rate=24000; channels=1", turn=number)
                    yield speech.data(b"\0\1" * 100)
                case InterruptRequest() as cut if speech is not None:
                    yield speech.done()
                    yield Signal(kind=SignalKind.SIGNAL_KIND_INTERRUPTED, turn=number, offset=seconds(cut.played))
                    number += 1


WORDS = ((0.0, "hello"), (0.5, "there"))
