"""The page for authors: its provider is a provider."""

import re
from pathlib import Path

from tests.support.brokers import load

from .conftest import Start

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/providers-node.md").read_text(encoding="utf-8")
README = (ROOT / "provider_hosts/node/README.md").read_text(encoding="utf-8")


async def test_the_provider_of_the_page_can_be_loaded_and_called(start: Start, tmp_path: Path) -> None:
    code, manifest = re.findall(r"^```(?:ts|yaml)\n(?://|#) (\S+)\n(.*?)^```", PAGE, re.M | re.S)
    for name, text in (code, manifest):
        path = tmp_path / "shout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    async with start() as (_, client):
        await load(client, str(tmp_path / "shout"))
        assert (await client.model("shout/default").transform("hello there")).text == "HELLO THERE "


async def test_the_provider_of_the_readme_runs_as_javascript(start: Start, tmp_path: Path) -> None:
    [code] = re.findall(r"^```ts\n(.*?)^```", README, re.M | re.S)
    folder = tmp_path / "shout"
    folder.mkdir()
    (folder / "index.mjs").write_text(code)
    (folder / "MediaConduit.provider.yml").write_text("id: shout\nversion: 1.0.0\nruntime: node\n")
    async with start() as (_, client):
        await load(client, str(folder))
        assert (await client.model("shout/default").transform("moo")).text == "MOO "
