"""A small process that holds sidecars while brokers come and go.

It is their parent: it holds their lifelines, drains what they write, reaps them, and ends all of them when no broker
has talked to it for the time of its lease. ``python -m mediaconduit_broker.keeper`` imports the standard library and
nothing else, so that it stays small; only `client`, the broker's side, may use more.

=========  ==========================================
module     answers
=========  ==========================================
protocol   what the two say to each other
tail       what is kept of what sidecars write
processes  who belongs to a sidecar, and is it gone
held       one sidecar as its parent knows it
keeper     the loop, the lease, the end
peer       a broker's connection
client     the broker's side
=========  ==========================================
"""
