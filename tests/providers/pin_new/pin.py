"""Says which version of six this process has."""

from collections.abc import AsyncIterator

import six
from mediaconduit_provider import Call, Model, Pricing, Provider


class Pin(Provider):
    """Answers anything with a version."""

    models = (Model("default", capabilities=["text-to-text"], output_media_types=["text/plain"], pricing=Pricing()),)

    async def transform(self, call: Call) -> AsyncIterator[str]:
        """The version."""
        yield six.__version__
