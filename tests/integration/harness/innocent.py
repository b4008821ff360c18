"""Somebody who means no harm, beside those who do: is it disturbed?"""
import threading
import time

from .producer import Sequenced
from .wait import PATIENCE, TIMEOUT, eventually

ON_TIME = 2 * PATIENCE


def memory_kb(bridge):
    with open(f"/proc/{bridge.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


class Innocent:
    """A producer and a client beside the harm, with how long each event took. Whoever makes one calls check() at the end."""

    def __init__(self, bridge, connect):
        self.client = connect(bridge, meta="1", topics="innocent")
        self.client.until("live")
        self.worker = Sequenced(bridge, "innocent")
        self.took, self._ended = [], threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._ended.wait(0.02):
            begun = time.monotonic()
            seq = self.worker.event({"type": "innocent", "n": self.worker.seq + 1})
            if seq % 25 == 0:
                self.worker.beat()
            got = self.client.until("innocent")["data"]["n"]
            self.took.append((seq == got, time.monotonic() - begun))

    def check(self):
        eventually(lambda: len(self.took) > 10, "some events during the harm and after it")
        self._ended.set()
        self._thread.join(2 * TIMEOUT)
        assert not self._thread.is_alive(), "an event did not come"
        self.worker.control.wait_ack(self.worker.seq)
        assert len(self.took) == self.worker.seq
        assert all(same for same, _ in self.took)
        assert max(took for _, took in self.took) < ON_TIME
        self.worker.close()
