"""The front for scripts, against the same server in a loop of its own thread."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from mediaconduit import connect_sync
from mediaconduit.channels import SERVER_OPTIONS
from mediaconduit.errors import NotFoundError
from mediaconduit.status import abort
from mediaconduit.sync import LoopThread
from mediaconduit.v1 import provider_pb2_grpc


@pytest.fixture
def served(server_class: Any, tmp_path: Path) -> Iterator[Any]:
    thread = LoopThread()
    server = server_class(f"unix:{tmp_path}/s")

    async def start() -> Any:
        listening = grpc.aio.server(options=SERVER_OPTIONS)
        provider_pb2_grpc.add_MediaProviderServicer_to_server(server, listening)
        listening.add_insecure_port(server.target)
        await listening.start()
        return listening

    async def wait_cancelled() -> None:
        await asyncio.wait_for(server.cancelled.wait(), 30)

    server.wait_cancelled = lambda: thread.run(wait_cancelled)
    listening = thread.run(start)
    yield server
    thread.run(listening.stop, 0)
    del listening
    thread.stop()


def test_calls_streams_and_conversations_without_async(served: Any) -> None:
    served.transform = lambda _, context: served.say(["Hello", " there"], context)
    with connect_sync(served.target) as mc:
        model = mc.provider("p").model("m")
        assert model.name == "providers/p/models/m"
        assert model.transform("hi").text == "Hello there"
        assert "".join(event.text for event in model.stream("hi")) == "Hello there"
        chat = model.conversation(system="s")
        chat.send("a")
        chat.send("b")
        assert len(chat.turns) == 5
        with model.stream("hi", gather=True) as stream:
            for _ in stream:
                pass
            assert stream.result.text == "Hello there"


def test_errors_are_the_same(served: Any) -> None:
    async def refuse(_: Any, context: Any) -> None:
        await abort(context, NotFoundError("no such thing"))

    served.transform = refuse
    with connect_sync(served.target) as mc, pytest.raises(NotFoundError, match="no such thing"):
        mc.model("m").transform("x")


def test_leaving_the_loop_cancels(served: Any) -> None:
    served.transform = served.endless
    with connect_sync(served.target) as mc:
        for event in mc.model("m").stream("x"):
            if event.text:
                break
        served.wait_cancelled()


def test_ctrl_c_cancels_the_call(served: Any) -> None:
    async def interrupting(request: Any, context: Any) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        await served.endless(request, context)

    served.transform = interrupting
    with connect_sync(served.target) as mc:
        with pytest.raises(KeyboardInterrupt):
            mc.model("m").transform("x")
        served.wait_cancelled()


def test_live_sessions(served: Any) -> None:
    async def live(requests: Any, context: Any) -> None:
        words = [piece.turn.parts[0].text async for piece in requests if piece.WhichOneof("piece") == "turn"]
        await served.say(words, context)

    served.live = live
    with connect_sync(served.target) as mc, mc.model("m").live() as session:
        session.send("a")
        session.send("b")
        session.finish()
        assert "".join(event.text for event in session) == "ab"


def test_a_client_that_was_not_entered_says_so() -> None:
    with pytest.raises(AttributeError, match="with connect_sync"):
        connect_sync("unix:/nowhere").model("m")
