"""The MediaConduit broker: finds, builds, starts, watches providers and routes calls to them.

============  ===============================================================================
package       answers
============  ===============================================================================
config        what the operator wants
manifest      what a provider's repository says about itself
sources       where a provider's code comes from
environments  what a provider's process needs to run
keeper        who holds sidecars that outlive a broker
runners       how a provider's process is started, watched and ended
supervision   when: a pure state machine and the one who executes its actions
changes       what happens to providers, for whoever watches them
registry      which providers there are
routing       which provider serves a request: pure
relay         how a call's bytes travel
services      the gRPC services clients see
cli           what people type
============  ===============================================================================

Lower lines use upper ones, never the other way round.
"""
