"""One gRPC endpoint for every AI media provider: the client, and the contract's Python binding.

::

    async with mediaconduit.connect() as mc:
        result = await mc.model("cowsay/default").transform("hi")
        print(result.text)

Names are imported when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediaconduit.calls import Stream as Stream
    from mediaconduit.client import Client as Client
    from mediaconduit.client import Provider as Provider
    from mediaconduit.client import connect as connect
    from mediaconduit.content import Media as Media
    from mediaconduit.content import assistant as assistant
    from mediaconduit.content import system as system
    from mediaconduit.content import tool_result as tool_result
    from mediaconduit.content import user as user
    from mediaconduit.conversation import Conversation as Conversation
    from mediaconduit.errors import MediaConduitError as MediaConduitError
    from mediaconduit.live import LiveSession as LiveSession
    from mediaconduit.model import Model as Model
    from mediaconduit.outputs import Output as Output
    from mediaconduit.results import Result as Result
    from mediaconduit.sync import SyncClient as SyncClient
    from mediaconduit.sync import connect_sync as connect_sync

_HOMES = {
    "mediaconduit.calls": ("Stream",),
    "mediaconduit.client": ("Client", "Provider", "connect"),
    "mediaconduit.content": ("Media", "assistant", "system", "tool_result", "user"),
    "mediaconduit.conversation": ("Conversation",),
    "mediaconduit.errors": ("MediaConduitError",),
    "mediaconduit.live": ("LiveSession",),
    "mediaconduit.model": ("Model",),
    "mediaconduit.outputs": ("Output",),
    "mediaconduit.results": ("Result",),
    "mediaconduit.sync": ("SyncClient", "connect_sync"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if (home := _HOME.get(name)) is None:
        raise AttributeError(f"module 'mediaconduit' has no attribute '{name}'")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
