from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mediaconduit_provider import Model
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.kinds import chat_kind
from mediaconduit_vendors.openai.chat import Chat
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor

MODEL = chat_kind(Chat(), Chat.options, ()).model("paced")


class MadeUp(VendorProvider):
    vendor: ClassVar[Vendor] = Vendor("made-up", "Made Up", "http://127.0.0.1:1/v1", key_required=False)

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        return [MODEL]

    async def find_model(self, model_id: str) -> Model | None:
        return MODEL if model_id == MODEL.id else None
