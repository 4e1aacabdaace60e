"""Text, speech, video: one broker, four providers, each in a process and an environment of its own.

Starts a broker, loads the bundled providers, sends `story.txt` through them and leaves what they make in a folder.
Nothing here needs a key or the network beyond the package registry.

    python examples/demo.py [OUTPUT_FOLDER]
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from mediaconduit import connect
from mediaconduit.client import Client
from mediaconduit.errors import MediaConduitError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

STORY = Path(__file__).with_name("story.txt")
PROVIDERS = ("cowsay", "speech", "ffmpeg", "llamacpp")
console = Console(highlight=False)


@contextlib.asynccontextmanager
async def broker(state: Path) -> AsyncIterator[str]:
    """A broker as an operator starts it: `mediaconduit up`. Gives its address, stops it at the end."""
    command = [
        sys.executable,
        "-m",
        "mediaconduit_broker.cli",
        "up",
        "--listen",
        "127.0.0.1:0",
        "--state-dir",
        str(state),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.ensure_future(process.stderr.read())
    try:
        first = (await process.stdout.readline()).decode()
        if not (match := re.search(r"serves on (\S+)", first)):
            raise SystemExit(f"the broker did not start:\n{(await errors).decode()}")
        yield match[1]
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.gather(process.wait(), errors)


async def load_providers(mc: Client) -> None:
    """Loads all at once; each builds its environment the first time."""
    columns = (SpinnerColumn(), TextColumn("{task.fields[name]:<9}"), BarColumn(30), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:

        async def load(name: str) -> None:
            task = progress.add_task("asked for", name=name, total=1.0)
            async for step in mc.broker.load(name):
                fraction = step.fraction if step.HasField("fraction") else None
                progress.update(task, description=step.message, completed=fraction)

        async with asyncio.TaskGroup() as group:
            for name in PROVIDERS:
                group.create_task(load(name))


async def say(mc: Client, story: str, output: Path) -> None:
    """Text to text, shown as it comes."""
    heading("cowsay/default", "text to text, as it comes")
    text = ""
    async for event in mc.model("cowsay/default").stream(story, extra={"width": 60, "delay_ms": 40}):
        console.print(event.text, end="", style="cyan", markup=False)
        text += event.text
    output.write_text(text, encoding="utf-8")


async def speak(mc: Client, story: str, output: Path) -> None:
    """Text to audio, written while it is made."""
    heading("speech/default", "text to audio, streamed into a WAV")
    started, first, size = time.monotonic(), 0.0, 0
    async for event in mc.model("speech/default").stream(story, audio={"language": "en-GB", "speed": 0.95}, to=output):
        if event.data:
            first = first or time.monotonic() - started
            size += len(event.data)
    console.print(f"  first sound after {first * 1000:.0f} ms, {size // 1024} KiB in all")


async def film(mc: Client, speech: Path, output: Path) -> None:
    """Audio to video, with the engine's own progress."""
    heading("ffmpeg/waveform", "audio to video, with ffmpeg's progress")
    frame = {"width": 1280, "height": 720}
    columns = (TextColumn("  {task.description:<9}"), BarColumn(40), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("drawing", total=1.0)
        stream = mc.model("ffmpeg/waveform").stream(speech, video={"frame": frame, "frame_rate": 25}, to=output)
        async for event in stream:
            if (fraction := getattr(event, "fraction", None)) is not None:
                progress.update(task, completed=fraction)
        progress.update(task, completed=1.0)


async def look(mc: Client, video: Path, output: Path) -> None:
    """Video to image: one frame to look at."""
    heading("ffmpeg/frame", "video to image")
    await mc.model("ffmpeg/frame").transform(video, extra={"at": 2.0}, to=output)


def heading(model: str, what: str) -> None:
    """Says what comes."""
    console.print(f"\n[bold]{model}[/]  [dim]{what}[/]")


async def report(mc: Client, made: list[Path]) -> None:
    """What ran, and what it made."""
    processes = Table("provider", "state", "calls", "memory", box=None, pad_edge=False, header_style="dim")
    for provider in await mc.broker.list():
        memory = f"{provider.memory_bytes / 1e6:.0f} MB"
        state = "[green]serving[/]" if provider.serving else "[red]not serving[/]"
        processes.add_row(provider.name.removeprefix("providers/"), state, str(provider.call_count), memory)
    files = Table("file", "size", box=None, pad_edge=False, header_style="dim")
    for path in made:
        files.add_row(str(path), f"{path.stat().st_size / 1024:,.0f} KiB")
    console.print()
    console.print(processes)
    console.print()
    console.print(files)


async def main(folder: Path) -> None:
    """The whole tour."""
    started = time.monotonic()
    folder.mkdir(exist_ok=True, parents=True)
    story = STORY.read_text(encoding="utf-8").replace("\n", " ").strip()
    text, speech, video, frame = (folder / name for name in ("cow.txt", "speech.wav", "speech.mp4", "frame.png"))
    async with broker(Path(".cache/demo").absolute()) as address, connect(address) as mc:
        console.print(f"a broker serves gRPC on [bold]{address}[/]\n")
        await load_providers(mc)
        await say(mc, story, text)
        await speak(mc, story, speech)
        await film(mc, speech, video)
        await look(mc, video, frame)
        await report(mc, [text, speech, video, frame])
    console.print(f"\ndone in {time.monotonic() - started:.0f} s; the broker and its sidecars have stopped")


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output")))
    except* MediaConduitError as failures:
        for failure in failures.exceptions:
            console.print(f"[red]error:[/] {failure}", markup=True)
        sys.exit(1)
    except* KeyboardInterrupt:
        sys.exit(130)
