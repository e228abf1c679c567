"""Event loop for a guest without sockets: coroutines, tasks, timers, threads; no descriptors.

Other platforms wake their loop through a socket pair, which WASI cannot make. Here the loop waits
for a lock, with the time of its next timer, and other threads release it.
"""
import _thread

from . import base_events
from . import events

__all__ = ("SelectorEventLoop", "DefaultEventLoopPolicy")


class _Waker:
    """What the base class calls its selector: nothing to select from, but it can be woken."""

    def __init__(self):
        self._asleep = _thread.allocate_lock()
        self._asleep.acquire()

    def select(self, timeout=None):
        if timeout is None:
            self._asleep.acquire()
        else:
            self._asleep.acquire(timeout=min(max(timeout, 0), _thread.TIMEOUT_MAX))
        return ()

    def wake(self):
        if self._asleep.locked():
            self._asleep.release()

    def close(self):
        pass


class SelectorEventLoop(base_events.BaseEventLoop):
    def __init__(self, selector=None):
        super().__init__()
        self._selector = _Waker()

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        self._selector.wake()


class DefaultEventLoopPolicy(events.BaseDefaultEventLoopPolicy):
    _loop_factory = SelectorEventLoop
