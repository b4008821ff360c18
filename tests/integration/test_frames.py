"""Replies, pongs, pings, notices, closes and events share one stream of bytes: none ever cuts another in two."""
import json
import os
import random
import select
import threading

import pytest

from harness.frames import CLOSE, PING, PONG, TEXT, Nibbler
from harness.preload import preload
from harness.wait import PATIENCE, TIMEOUT, Dice, share_of

SIZES = [0, 1, 60, 70, 80, 90, 300, 1000] * 6 + [4000, 65400, 65536, 100_000]   # of the padding: each form of a length
TOPICS = [{"match": "text", "keep": "log", "retain": {"count": 100}},
          {"match": "state.*", "keep": "latest", "key": "/k"}]


@pytest.fixture(scope="module")
def short_writes(tmp_path_factory):
    """The environment in which trestled's writes end anywhere."""
    return preload(tmp_path_factory.mktemp("short_writes"), "short_writes")


@pytest.fixture
def bridge(trestled, short_writes, dice):
    return trestled({"heartbeat": {"interval": "20ms", "timeout": f"{int(10 * PATIENCE)}s"}, "topics": TOPICS,
                     "session": {"queue": "512KiB", "stall": f"{int(20 * PATIENCE)}s"},
                     "limits": {"requests_per_second": 1_000_000}},
                    env={**short_writes, "SHORT_WRITES_SEED": str(dice.randrange(1_000_000))})


@pytest.fixture
def dice():
    return Dice()


class Stream(threading.Thread):
    """Publishes until it is told to end: numbered events of all sizes."""

    def __init__(self, source, seed):
        super().__init__(daemon=True)
        self._source, self._dice = source, random.Random(seed)
        self._ended = threading.Event()

    def run(self):
        n = 0
        while not self._ended.wait(self._dice.choice([0.001, 0.001, 0.005, 0.02, 0.1])):
            for _ in range(self._dice.randrange(1, 5)):
                n += 1
                kind = self._dice.choice([{"type": "text"}, {"type": "state", "k": n % 3}])
                self._source.event({**kind, "n": n, "pad": "x" * self._dice.choice(SIZES)})

    def end(self):
        self._ended.set()
        self.join()


class Talker:
    """One connection of one random schedule: what it sends, and what must come back."""

    def __init__(self, bridge, dice):
        self._dice = dice
        self.meta = dice.random() < 0.7
        query = "&meta=1" if self.meta else ""
        query += dice.choice(["", "", "&since=0"])
        self.ws = Nibbler(bridge.port, f"/?token={bridge.token}{query}", receive_buffer=dice.choice([16384, 65536]))
        self.asked, self.answered, self.pinged = [], [], []
        self.seen = {"event": 0, "ping": 0, "pong": 0, "notice": 0}
        self.offset = 0
        self.closing = False

    def say_something(self):
        what = self._dice.randrange(6)
        if what < 2:
            self.pinged.append(os.urandom(self._dice.randrange(126)))
            self.ws.send(PING, self.pinged[-1])
        elif what < 5:
            self.asked.append(len(self.asked) + 1)
            kind = self._dice.choice([{"type": "ping"}, {"type": "status"}, {"type": "nonsense"},
                                      {"type": "subscribe", "topics": [f"more.{len(self.asked)}"]}])
            self.ws.send(TEXT, json.dumps({**kind, "id": self.asked[-1]}).encode())
        else:
            self.ws.send(PONG, b"unasked")

    def take(self, frames):
        for opcode, payload in frames:
            if opcode == TEXT:
                self._take_text(payload)
            elif opcode == PONG:
                assert payload in self.pinged                       # one at most waits: the newest
                del self.pinged[:self.pinged.index(payload) + 1]
                self.seen["pong"] += 1
            elif opcode == PING:
                self.seen["ping"] += 1
                if not self.closing:
                    self.ws.send(PONG, payload)

    def _take_text(self, envelope):
        data = envelope["data"]
        if "id" in data and "n" not in data:
            self.answered.append(data["id"])
        elif "n" in data:
            assert data["pad"].strip("x") == ""
            self.seen["event"] += 1
            self._take_offset(envelope)
        else:
            assert self.meta, data
            self.seen["notice"] += 1

    def _take_offset(self, envelope):
        if self.meta and not envelope["meta"].get("replay"):
            assert envelope["meta"]["offset"] > self.offset
            self.offset = envelope["meta"]["offset"]

    def read_on(self, until, most):
        """Reads as little as `most` at a time until `until()`; False at the end of the stream."""
        while not until():
            frames = self.ws.read(self._dice.randrange(1, most))
            if frames is None:
                return False
            self.take(frames)
        return True


def talk(talker, dice):
    for _ in range(dice.randrange(1, 40)):
        if dice.random() < 0.5:
            talker.say_something()
        for _ in range(dice.randrange(8)):
            if select.select([talker.ws.sock], [], [], 0.002)[0]:
                talker.take(talker.ws.read(dice.choice([1, 2, 3, 7, 100, 3000])) or [])


def close_by_the_client(talker):
    talker.ws.send(CLOSE, (1000).to_bytes(2, "big"))
    return 1000


def close_by_a_binary_frame(talker):
    talker.ws.send(talker.ws.BINARY, b"x")
    return 4400


def close_by_a_broken_frame(talker):
    talker.ws.send(TEXT, b"{}", mask=False)
    return 1002


CLOSES = [close_by_the_client, close_by_a_binary_frame, close_by_a_broken_frame]


def test_no_frame_is_cut_by_another(bridge, dice, publisher, closing):
    stream = Stream(publisher(bridge), dice.randrange(1_000_000))
    stream.start()
    seen = {}
    try:
        for round in range(share_of(150, least=15)):
            talker = Talker(bridge, dice)
            closing(talker.ws)
            talk(talker, dice)
            if round == 0:                                          # pings come in pauses, which the others may not have
                assert talker.read_on(lambda: talker.seen["ping"] > 0, 60_000), dice.said
            if round % 3 == 0:                                      # all that was asked is answered, once and in order
                assert talker.read_on(lambda: len(talker.answered) >= len(talker.asked), 60_000), dice.said
                assert talker.answered == talker.asked, dice.said
            expected = dice.choice(CLOSES)(talker)
            talker.closing = True
            talker.read_on(lambda: talker.ws.parser.closed is not None, 60_000)
            code = int.from_bytes((talker.ws.parser.closed or b"\x03\xee")[:2], "big")
            assert code in (expected, 4408), (code, dice.said)
            assert talker.ws.parser.unfinished() == b"", dice.said
            for what, count in talker.seen.items():
                seen[what] = seen.get(what, 0) + count
    except AssertionError as wrong:
        raise AssertionError(f"{wrong}; {dice.said}") from wrong
    finally:
        stream.end()
    assert all(count > 0 for count in seen.values()), (seen, dice.said)


def test_a_drain_cuts_nothing(bridge, dice, publisher, closing):
    stream = Stream(publisher(bridge), dice.randrange(1_000_000))
    stream.start()
    try:
        talkers = [Talker(bridge, dice) for _ in range(10)]
        for talker in talkers:
            closing(talker.ws)
            talk(talker, dice)
        stopping = threading.Thread(target=bridge.stop, daemon=True)
        stopping.start()
        for talker in talkers:
            talker.read_on(lambda: talker.ws.parser.closed is not None, 60_000)
            assert talker.ws.parser.closed is None or talker.ws.parser.closed[:2] == (1001).to_bytes(2, "big"), dice.said
        stopping.join(TIMEOUT)
        assert any(talker.ws.parser.closed for talker in talkers), dice.said
    finally:
        stream.end()
