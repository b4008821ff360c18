"""A client falls behind right when its replay has ended, and the end of that still waits for it."""
import json

import pytest

from harness.raw import RawWebSocket

BIG = "x" * 30_000                                                  # one fills a piece of a replay: half of the queue
CONFIG = {"session": {"queue": "64KiB", "stall": "60s"}, "shards": 1, "heartbeat": {"enabled": False},
          "topics": [{"match": "state.*", "keep": "latest", "key": "/k"}, {"match": "few", "keep": "log", "retain": {"count": 5}}]}


class Client:
    """Reads only when it is told to, and notes what it reads."""

    def __init__(self, bridge, closing, **query):
        words = "".join(f"&{name}={value}" for name, value in query.items())
        self._ws = closing(RawWebSocket(bridge.port, f"/?token={bridge.token}&meta=1{words}", receive_buffer=4096))
        self.seen, self.notices = [], []

    def subscribe(self, topic, since="0"):
        self._ws.send(RawWebSocket.TEXT, json.dumps({"type": "subscribe", "id": topic, "topics": [topic], "since": since}).encode())

    def read(self, until):
        """Up to the envelope that `until` is true of."""
        while True:
            envelope = json.loads(self._ws.next(RawWebSocket.TEXT))
            (self.seen if "meta" in envelope else self.notices).append(envelope)
            if until(envelope):
                return envelope["data"]

    def read_live(self):
        return self.read(lambda envelope: envelope["data"]["type"] == "live")

    def offsets(self, replay):
        return [one["meta"]["offset"] for one in self.seen if one["meta"].get("replay", False) == replay]

    def types(self):
        return [one["data"]["type"] for one in self.notices]

    def close(self):
        self._ws.close()


@pytest.fixture
def bridge(trestled):
    return trestled(CONFIG)


@pytest.fixture
def publish(bridge, publisher):
    """publish(event…): returns when all of them are in the stream."""
    source = publisher(bridge)

    def run(*events):
        head = bridge.status()["offset"]
        for event in events:
            source.event(event)
        bridge.wait_status(lambda status: status["offset"] >= head + len(events), "the events in the stream")
    return run


@pytest.fixture
def behind(bridge, publish):
    """behind(join, more): a client of join() whose replay is over, and whose socket is too full for its end.

    Each time there is one event more of more(n), until the last one does not go out any more: `live` waits behind it.
    """
    def run(join, more):
        for n in range(60):
            publish(more(n))
            client = join()
            bridge.wait_status(lambda status: status["sessions_total"] == 1 and is_at_rest(bridge), "the client at rest")
            if bridge.status()["sessions"][0]["queued"]:
                return client
            client.close()
            bridge.wait_status(lambda status: status["sessions_total"] == 0, "the client gone")
        raise AssertionError("the kernel takes all of it: this test shows nothing")
    return run


def is_at_rest(bridge):
    """Nothing more is written between a few looks, which pass through the client's shard."""
    return len({bridge.status()["sessions"][0]["bytes"] for _ in range(3)}) == 1


def fall_behind(bridge, publish, kind):
    """More than the queue: what waits is dropped, and read again from the stream."""
    publish(*({"type": kind, "n": n, "pad": "y" * 5000} for n in range(60)), {"type": kind, "last": True})
    counters = bridge.status()["counters"]
    assert (counters["catch_ups"], counters["too_slow"]) == (1, 0)


def is_last(envelope):
    return envelope["data"].get("last", False)


def test_who_joined_does_not_get_what_was_before(bridge, publish, behind, closing):
    publish(*({"type": "note", "n": n} for n in range(50)))
    client = behind(lambda: Client(bridge, closing), lambda n: {"type": "state", "k": n, "pad": BIG})
    joined = bridge.status()["offset"]
    fall_behind(bridge, publish, "note")
    client.read(is_last)
    assert client.offsets(replay=True) == list(range(51, joined + 1))
    assert client.offsets(replay=False) == list(range(joined + 1, joined + 62))
    assert client.types().count("live") == 1


def test_who_resumed_with_a_gap_does_not_get_again_what_it_has(bridge, publish, behind, closing):
    publish(*({"type": "note", "n": n} for n in range(50)))
    cursors = []

    def join():
        before = Client(bridge, closing, topics="quiet")
        cursors.append(before.read_live())
        before.close()
        bridge.wait_status(lambda status: status["sessions_total"] == 0, "the one before gone")
        publish(*({"type": "few", "n": n} for n in range(10)))      # five of them are gone
        return Client(bridge, closing, since=f"{cursors[-1]['epoch']}:{cursors[-1]['offset']}")

    client = behind(join, lambda n: {"type": "state", "k": n, "pad": BIG})
    fall_behind(bridge, publish, "note")
    client.read(is_last)
    cursor, head = cursors[-1]["offset"], bridge.status()["offset"]
    assert [one["data"]["reason"] for one in client.notices if one["data"]["type"] == "gap"] == ["trimmed"]
    assert len(client.offsets(replay=True)) == len(cursors)          # the states, and nothing twice
    assert client.offsets(replay=False) == list(range(cursor + 6, head + 1))


def test_who_subscribed_does_not_get_the_replay_again_and_gets_each_live(bridge, publish, behind, closing):
    publish({"type": "other", "n": 1})

    def join():
        client = Client(bridge, closing, topics="note")
        client.read_live()
        client.subscribe("big")
        client.read(lambda envelope: envelope["data"]["type"] == "subscribed")
        return client

    client = behind(join, lambda n: {"type": "big", "n": n, "pad": BIG})
    subscribed = bridge.status()["offset"]
    fall_behind(bridge, publish, "big")
    client.subscribe("other")
    assert client.read_live()["offset"] == subscribed
    assert client.offsets(replay=True) == list(range(2, subscribed + 1)) and client.offsets(replay=False) == []
    client.read_live()
    assert client.offsets(replay=True) == [*range(2, subscribed + 1), 1]
    assert client.offsets(replay=False) == list(range(subscribed + 1, subscribed + 62))
    assert client.types() == ["welcome", "live", "subscribed", "live", "subscribed", "live"]
