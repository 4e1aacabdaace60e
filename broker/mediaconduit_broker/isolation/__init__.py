"""Keeps sidecars apart: users of their own, limits, private folders, bubblewrap. Knows neither processes nor gRPC.

`Isolator.admit` gives a launch its `Cell`: the command to run instead, what to add to its variables, where its socket
and temporary files go. What a machine cannot do is said, as a warning or, where it is required, as an error.
"""

from mediaconduit_broker.isolation.cell import Cell
from mediaconduit_broker.isolation.cgroups import Cgroup
from mediaconduit_broker.isolation.isolator import Isolator
from mediaconduit_broker.isolation.machine import Machine
from mediaconduit_broker.isolation.policy import Bounds, Policy
from mediaconduit_broker.isolation.reach import shareable
from mediaconduit_broker.isolation.users import Users

__all__ = ["Bounds", "Cell", "Cgroup", "Isolator", "Machine", "Policy", "Users", "shareable"]
