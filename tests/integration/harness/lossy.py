"""A sequenced producer on plain ZeroMQ whose event socket drops at a small high-water mark, and which repairs what it can."""
import collections
import json
import time

import zmq

from .producer import Publisher, Sequenced, encoded, stamp
from .wait import TIMEOUT, eventually


class LossyProducer(Sequenced):
    """Events {"type": "seq", "p": producer, "n": seq}; `buffer` is how many it can still give, the oldest go first."""

    def __init__(self, bridge, producer, hwm, buffer):
        super().__init__(bridge, producer, publisher=Publisher(bridge.events_addr, send_hwm=hwm))
        self.asked = []                                             # replays that the bridge asked for
        self._buffer = collections.deque(maxlen=buffer)

    def burst(self, count, pad):
        """ZeroMQ drops what it has no room for."""
        for _ in range(count):
            self._publish(pad)

    def fill(self, pad, full_for=0.3):
        """Publishes until there has been no room for that many seconds, and drops nothing: a burst from here on is lost whole."""
        self.publisher.socket.setsockopt(zmq.XPUB_NODROP, 1)
        waiting_since = time.monotonic()
        while time.monotonic() - waiting_since < full_for:
            try:
                self._publish(pad)
                waiting_since = time.monotonic()
            except zmq.Again:
                self.seq -= 1
                time.sleep(0.005)
        self.publisher.socket.setsockopt(zmq.XPUB_NODROP, 0)

    def _publish(self, pad):
        payload = encoded({"type": "seq", "p": self.producer, "n": self.seq + 1, "pad": "x" * pad})
        self.event(payload, flags=zmq.DONTWAIT)
        self._buffer.append((self.seq, payload))

    @property
    def first(self):
        """The oldest seq that it can still give."""
        return self._buffer[0][0]

    def tell(self):
        """The beat."""
        self.control.beat(first=self.first, last=self.seq)

    def repair(self, timeout=5 * TIMEOUT):
        """Beats and answers replays until everything is acked; returns all ranges acked as lost."""
        lost = []

        def acked():
            if not self.control.socket.poll(100):
                self.tell()
                return False
            message = json.loads(self.control.socket.recv_multipart()[0])
            if message["type"] == "replay":
                self._answer(message["from"], message["to"])
            elif message["type"] == "ack":
                lost.extend(message.get("lost", []))
                return message["seq"] >= self.seq
            return False

        eventually(acked, "an ack of everything", timeout=timeout, every=0)
        return lost

    def _answer(self, start, end):
        self.asked.append((start, end))
        if start < self.first:
            self.control.send("gone", **{"from": start, "to": self.first - 1})
        for seq in range(max(start, self.first), end + 1):
            payload = self._buffer[seq - self.first][1]
            self.control.raw(b"event", b"", self.producer.encode(), stamp(self.epoch, seq), payload)
