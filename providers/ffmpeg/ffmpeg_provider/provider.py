"""From a call to ffmpeg and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from mediaconduit_provider import (
    Call,
    File,
    Input,
    InvalidRequestError,
    MediaInfo,
    Output,
    Progress,
    Provider,
    Usage,
)

from ffmpeg_provider import binary, probe, progress, sources
from ffmpeg_provider.commands import STDOUT, Plan, command
from ffmpeg_provider.formats import OUTPUTS
from ffmpeg_provider.models import MODELS
from ffmpeg_provider.plans import PLANNERS
from ffmpeg_provider.process import Run
from ffmpeg_provider.progress import Tick


class Ffmpeg(Provider):
    """Audio, images and video with ffmpeg, on this machine."""

    display_name = "FFmpeg"
    models = MODELS
    max_concurrency = 8
    settings_schema = {  # noqa: RUF012 - declared by the base class
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "ffmpeg_path": {"type": "string", "description": "An ffmpeg to use instead of the bundled one."},
            "threads": {
                "type": "integer",
                "minimum": 0,
                "maximum": 256,
                "description": "Threads of each encoder; 0 = as ffmpeg sees fit.",
            },
        },
    }

    async def configure(self, settings: Mapping[str, Any]) -> None:
        """Refuses an ffmpeg that cannot be run."""
        if path := settings.get("ffmpeg_path"):
            await binary.verify(binary.find(path))
        await super().configure(settings)

    async def transform(self, call: Call) -> AsyncIterator[Output | File | Progress | Usage | Any]:
        """Plans, runs, streams."""
        ffmpeg = binary.find(self.settings.get("ffmpeg_path", ""))
        options = options_of(call)
        form = OUTPUTS[call.media_type()]
        inputs, feed = await sources.gather(call, options, ffmpeg)
        plan = PLANNERS[call.model.id](options, inputs, form)
        work = Work(call, plan, feed)
        threads = int(self.settings.get("threads", 0))
        async with work.run(ffmpeg, threads) as run:
            async for event in work.events(run):
                yield event


def options_of(call: Call) -> dict[str, Any]:
    """The options of a call by path; those absent are left out."""
    given = {path: call.option(path) for path in call.model.options}
    return {path: value for path, value in given.items() if value is not None}


class Work:
    """One call's run of ffmpeg, told to the host."""

    def __init__(self, call: Call, plan: Plan, feed: Input | None) -> None:
        self._call, self._plan, self._feed = call, plan, feed
        self._media = plan.sources[0].media
        self._length = plan.length
        self._made = 0.0
        self._frames = 0
        self._target = None if plan.format.streamed else call.folder / f"output{plan.format.suffix}"

    def run(self, ffmpeg: str, threads: int) -> Run:
        """The process, not yet started."""
        target = STDOUT if self._target is None else f"file:{self._target}"
        return Run(
            lambda descriptor: command(ffmpeg, self._plan, target, progress_fd=descriptor, threads=threads),
            feed=self._feed,
            check=self._check,
            failed=self._failed,
            look=self._look,
        )

    async def events(self, run: Run) -> AsyncIterator[Output | File | Progress | Usage | Any]:
        """What the run gives, as the host takes it."""
        output = Output(self._plan.format.media_type)
        size = 0
        async for item in run:
            if isinstance(item, Tick):
                self._made = item.position if item.position is not None else self._made
                self._frames = item.frames
                yield progress.progress(item, self._length)
            else:
                size += len(item)
                yield output.data(item)
        info = self._info(run.log.banner)
        if self._target is not None:
            size = self._target.stat().st_size if self._target.exists() else 0
        if size == 0 or (self._is_timed and self._made <= 0):
            raise InvalidRequestError.at(
                self._media.field,
                "nothing of it is left with these options",
                hint="check extra.start, extra.end, extra.at",
            )
        yield self._usage(info)
        if self._target is None:
            yield output.done(info)
        else:
            yield File(self._target, self._plan.format.media_type, info=info)

    @property
    def _is_timed(self) -> bool:
        return self._call.model.id != "frame"

    def _info(self, banner: Sequence[str]) -> MediaInfo:
        facts = probe.output(banner)
        if self._is_timed and facts.frame_rate:
            # ffmpeg's position is where the last packet begins, or earlier where pictures are reordered.
            self._made = max(self._made, self._frames / facts.frame_rate)
        if not self._is_timed:
            return MediaInfo(width=facts.width, height=facts.height)
        return facts.info(self._made)

    def _usage(self, info: MediaInfo) -> Usage:
        if not self._is_timed:
            return Usage(units={"image": 1}, nano_cost=0, currency="USD")
        unit = "audio-millisecond" if self._plan.format.media_type.startswith("audio/") else "video-millisecond"
        return Usage(units={unit: round(self._made * 1000)}, nano_cost=0, currency="USD")

    def _look(self, head: bytes) -> None:
        self._guess_length(probe.wav_duration(head))

    def _guess_length(self, duration: float | None) -> None:
        if self._length is None and duration is not None:
            self._length = duration / self._plan.speed

    def _check(self, banner: list[str]) -> None:
        """For an input that could not be probed before: the same check, on what ffmpeg says now."""
        if self._feed is None:
            return
        found = probe.inputs(banner)
        # No facts at all: ffmpeg may have failed for another reason, which its status and last words tell.
        if found or probe.is_unknown_input(banner):
            need, said = sources.NEEDS[self._call.model.id], progress.complaint(banner, telling_only=True)
            facts = sources.check(found, self._media.media_type, self._media.field, need, said)
            self._guess_length(facts.duration)

    def _failed(self, status: int, log: Sequence[str]) -> Exception:
        self._call.log.warning("ffmpeg ended with %d: %s", status, "\n".join(log[-12:]))
        return progress.failure(status, log, field=self._media.field, filter_field=self._plan.filter_field)
