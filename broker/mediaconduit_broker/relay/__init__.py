"""How a call travels: client → broker → sidecar and back, as bytes.

The relay decodes the request, to know where it goes, and the last answer after it has been forwarded. Nothing between.
"""

from mediaconduit_broker.relay.relay import Relay

__all__ = ["Relay"]
