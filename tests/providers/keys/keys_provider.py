"""A provider that reads its key in every way authors do, and that is careless with it."""

import asyncio
import json
import os
import sys
from typing import Any, ClassVar

from mediaconduit_provider import InvalidRequestError, Model, Provider

TEXT = ["text-to-text"]
AT_IMPORT = os.environ.get("KEYS_TOKEN")

print(f"imported with {AT_IMPORT}", file=sys.stderr)


class Keys(Provider):
    models = tuple(Model(name, TEXT) for name in ("seen", "environ", "logs", "fails", "boom", "settings", "waits"))
    settings_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "api_key": {"type": "string", "writeOnly": True},
            "region": {"type": "string"},
        },
        "additionalProperties": False,
    }

    def __init__(self):
        self.seen = {"import": AT_IMPORT, "construct": os.environ.get("KEYS_TOKEN")}

    async def setup(self):
        self.seen["setup"] = os.environ.get("KEYS_TOKEN")

    async def configure(self, settings):
        if settings.get("region") == "nowhere":
            raise InvalidRequestError(f"no region for {os.environ.get('KEYS_TOKEN')}")
        self.seen["configure"] = os.environ.get("KEYS_TOKEN")
        self.settings = settings

    async def transform(self, call):
        token = os.environ.get("KEYS_TOKEN", "")
        match call.model.id:
            case "seen":
                now = {**self.seen, "call": token}
                yield json.dumps({when: len(value) for when, value in now.items() if value})
            case "environ":
                yield json.dumps(sorted(os.environ))
            case "settings":
                yield json.dumps({key: len(value) for key, value in self.settings.items()})
            case "logs":
                print("<4>plain", token)
                print(json.dumps({"authorization": f"Bearer {token}"}), "setting", self.settings.get("api_key"))
                for piece in ("halves ", token[: len(token) // 2], token[len(token) // 2 :], "\n"):
                    os.write(2, piece.encode())
                print("x" * (8 * 1024 - 5) + token)
                print("end of log")
                yield "logged"
            case "waits":
                yield str(os.getpid())
                try:
                    await asyncio.Event().wait()
                finally:
                    print(f"left alone with {token}")
            case "fails":
                raise InvalidRequestError(f"the vendor says: bad key {token}", hint=f"not {token}")
            case "boom":
                raise RuntimeError(f"bad key {token}")
