"""Log lines that somebody can cause as often as they like."""
import time

from .wait import eventually


def flood(bridge, kind, once, count=100):
    """Calls once() that often, each worth a line of that kind: few are written, and the next says how many were not.

    The bridge has one shard, for each has a limit of its own. Returns the lines."""
    started = time.monotonic()
    for _ in range(count):
        once()
    took = time.monotonic() - started
    lines = eventually(lambda: bridge.logs(kind), kind)
    assert len(lines) <= 5 + took, (len(lines), took)
    time.sleep(1.1)                                                 # until there may be a line again
    once()
    eventually(lambda: len(bridge.logs(kind)) + sum(line["left_out"] for line in bridge.logs(kind)) == count + 1,
               f"every {kind!r} is written or counted")
    return bridge.logs(kind)
