"""Event loop for a guest without sockets: coroutines, tasks, timers; no file descriptors.

Other platforms wake their loop through a socket pair, which WASI cannot make. Here nothing outside
the loop can wake it, so waiting for the next timer is a sleep.
"""
import time

from . import base_events
from . import events

__all__ = ("SelectorEventLoop", "DefaultEventLoopPolicy")

_FOREVER = 86400


class _Timers:
    """What the base class calls its selector."""

    def select(self, timeout=None):
        if timeout is None or timeout > 0:
            time.sleep(_FOREVER if timeout is None else timeout)
        return ()

    def close(self):
        pass


class SelectorEventLoop(base_events.BaseEventLoop):
    def __init__(self, selector=None):
        super().__init__()
        self._selector = _Timers()

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        pass


class DefaultEventLoopPolicy(events.BaseDefaultEventLoopPolicy):
    _loop_factory = SelectorEventLoop
