"""Node sidecars in a sandbox, under a user of their own."""

from __future__ import annotations

import os
import shutil

import pytest
from mediaconduit_broker.config import IsolationConfig

from tests.support.brokers import load

from .conftest import Start


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap: not on this machine")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives sidecars users of their own")
async def test_a_node_provider_runs_in_a_sandbox(start: Start) -> None:
    sandboxed = IsolationConfig(sandbox="bubblewrap")
    async with start({"TYPESCRIPT_KEY": "key-of-a-test"}, isolation=sandboxed) as (_, client):
        await load(client, "./typescript")
        assert (await client.model("typescript/words").transform("moo")).text == "MOO!! 1s"
