"""Progress lines on standard error: what is done, how long it usually takes, how long it took."""
import contextlib
import sys
import time


class Progress:
    def __init__(self, quiet=False, stream=None):
        self.quiet = quiet
        self.stream = stream or sys.stderr

    def say(self, text):
        if not self.quiet:
            print(f"retort-aot: {text}", file=self.stream, flush=True)

    @contextlib.contextmanager
    def step(self, what, usual_s=None):
        """Announces a step, and says how long it took when that was worth knowing."""
        usual = f" (usually {usual_s:.0f} s)" if usual_s and usual_s >= 2 else ""
        self.say(what + usual)
        start = time.monotonic()
        yield
        took = time.monotonic() - start
        if took >= 2:
            self.say(f"  done: {what} in {took:.0f} s")
