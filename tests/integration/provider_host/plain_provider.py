"""Providers that do less, or nothing at all."""

import asyncio
import os
import time
from typing import ClassVar

from mediaconduit_provider import Model, Provider


class Plain(Provider):
    models: ClassVar = [Model("default", ["text-to-text"])]

    async def transform(self, call):
        yield call.text


class SlowSetup(Plain):
    async def setup(self):
        while not os.path.exists(os.environ["GO"]):  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)


class BlockingSetup(Plain):
    def setup(self):
        while not os.path.exists(os.environ["GO"]):
            time.sleep(0.01)


class FailingSetup(Plain):
    async def setup(self):
        raise RuntimeError("no model file")


class FailingConstructor(Plain):
    def __init__(self):
        raise RuntimeError("no licence")


class WrongOption(Plain):
    models: ClassVar = [Model("default", ["text-to-text"], options={"text.temprature": {}})]


class BlocksTheLoop(Plain):
    async def transform(self, call):
        yield "x"
        time.sleep(1000)  # noqa: ASYNC251 - the author's mistake


class NotAProvider:
    pass
