"""Waiting on conditions: nothing in these tests sleeps and hopes."""
import os
import random
import socket
import time

# A sanitizer build is several times slower; tests/run says so here instead of every test knowing.
PATIENCE = float(os.environ.get("TRESTLE_TEST_PATIENCE", "1"))
TIMEOUT = 8 * PATIENCE
# The share of their full counts (kills, events, rounds) that the fault tests run: 1 where the figures are to be shown, less
# where every test runs again under a sanitizer.
SHARE = float(os.environ.get("TRESTLE_TEST_SHARE", "1"))


def share_of(count, least=1):
    """As many of `count` as this run does, and never fewer than `least`."""
    return max(least, round(count * SHARE))


class Dice(random.Random):
    """The random schedule of one test. `said` belongs into what its assertions say: it tells how to have the same schedule
    again."""

    def __init__(self):
        seed = int(os.environ.get("TRESTLE_TEST_SEED") or random.randrange(1_000_000))
        super().__init__(seed)
        self.said = f"the same schedule again: TRESTLE_TEST_SEED={seed}"


def eventually(condition, what="the condition", timeout=TIMEOUT, every=0.02):
    """Calls `condition` until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"{what}: not within {timeout:.1f} s (last answer: {result!r})"
        time.sleep(every)


_FIRST_PORT, _PORTS = 20000, 12000                                  # below what the kernel hands to outgoing connections
_next_port = random.randrange(_PORTS)


def free_port():
    """A port nobody listens on, and not one that was handed out just before."""
    global _next_port
    while True:
        port = _FIRST_PORT + _next_port
        _next_port = (_next_port + 1) % _PORTS
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
