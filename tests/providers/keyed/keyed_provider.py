"""A vendor's text model, reached with a key."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any, ClassVar
from urllib.parse import urlsplit

from mediaconduit_provider import Call, InputSpec, Model, PreconditionError, Provider, Reason

SVG = InputSpec(media_types=["image/svg+xml", "text/plain"], required=True, max_bytes=65536)


class Keyed(Provider):
    models = (Model("upper", ["text-to-text", "image-to-text"], inputs=[SVG], options={"seed": {"type": "integer"}}),)
    settings_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"base_url": {"type": "string"}},
    }

    async def transform(self, call: Call) -> AsyncIterator[str]:
        body = await call.input().read()
        url = urlsplit(self.settings.get("base_url", "http://vendor.invalid:80"))
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        try:
            head = f"POST / HTTP/1.0\r\nAuthorization: Bearer {os.environ['KEYED_API_KEY']}\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            status, _, answer = (await reader.read()).partition(b"\r\n")
        finally:
            writer.close()
        if b" 200 " not in status:
            raise PreconditionError("the vendor refuses the key", reason=Reason.CREDENTIALS_REJECTED)
        yield answer.partition(b"\r\n\r\n")[2].decode()
