"""A real llama server behind the broker, with a tiny model of random weights."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from mediaconduit.client import Client
from mediaconduit.errors import Reason, UnavailableError

from tests.support.brokers import load

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written with the `gguf` package, in the provider's development environment."""
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    provider = ROOT / "providers" / "llamacpp"
    command = [sys.executable, "-m", "mediaconduit_broker.cli", "exec", str(provider), "--"]
    subprocess.run([*command, "python", "tests/tiny_gguf.py", path], check=True, timeout=300, capture_output=True)
    return path


@pytest.mark.timeout(300)
async def test_a_kill_in_mid_stream_fails_that_call_alone(client: Client, gguf: Path) -> None:
    await load(client, "llamacpp", settings={"model_path": str(gguf), "threads": 1})
    await load(client, "./faulty")
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    (model,) = [model.name for model in await client.models(capability="text-to-text") if "llamacpp" in model.name]
    sidecar = next(pid for pid in before if "llamacpp_provider" in " ".join(psutil.Process(pid).cmdline()))
    temporary = Path(psutil.Process(sidecar).environ()["TMPDIR"])

    async with client.model("faulty/endless").stream("x") as other:
        others = aiter(other)
        await anext(others)
        async with client.model(model).stream("Tell me.", text={"max_output_tokens": 4000}, seed=1) as stream:
            events = aiter(stream)
            while not (await anext(events)).text:
                pass
            assert list(temporary.rglob("*")), "the engine has its socket there"
            os.kill(sidecar, 9)
            with pytest.raises(UnavailableError) as caught:
                async for _ in events:
                    pass
        ticks = [(await anext(others)).text for _ in range(20)]

    assert caught.value.reason is Reason.PROVIDER_CRASHED
    assert caught.value.metadata["signal"] == "9"
    assert any(ticks)
    again = await client.model(model).transform("And now?", text={"max_output_tokens": 4}, seed=1)
    assert again.usage.units["output-token"] == 4
    assert not temporary.exists(), "its temporary files went with it"
