import asyncio
import os
import sys

import pytest
from mediaconduit_broker.cli.children import watch_children_without_threads


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="asyncio itself asks the kernel from 3.12 on")
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this kernel cannot tell")
def test_no_thread_waits_for_a_child():
    policy = asyncio.get_event_loop_policy()
    before = policy.get_child_watcher()
    try:
        watch_children_without_threads()
        assert isinstance(policy.get_child_watcher(), asyncio.PidfdChildWatcher)
    finally:
        policy.set_child_watcher(before)
