"""What a producer lost while a client was away, or still caught up, is told to that client at its place in the stream."""
import json

import pytest

from harness.producer import Sequenced
from harness.raw import RawWebSocket
from harness.wait import eventually

KILL = [False, True]


class Worker(Sequenced):
    """A producer that skips events, and says that they are gone when it is asked for them."""

    def __init__(self, bridge):
        super().__init__(bridge, "worker-1")

    def publish(self, count=1, **members):
        for _ in range(count):
            self.event({"type": "step", "n": self.seq + 1, **members})

    def lose(self, count):
        """Loses so many events and publishes the one after them; back once all that is in the stream."""
        first = self.seq + 1
        self.seq += count
        self.publish()
        asked = self.control.receive("replay")
        assert (asked["from"], asked["to"]) == (first, first + count - 1)
        self.control.send("gone", **{"from": asked["from"], "to": asked["to"]})
        self.control.wait_ack(self.seq)

    def lose_the_tail(self, count):
        """The same, with nothing behind them."""
        self.seq += count
        self.control.beat(first=self.seq + 1, last=self.seq)
        self.control.wait_ack(self.seq)


@pytest.fixture
def bridge(trestled):
    return trestled({"stream": {"path": "trestle.db"}, "session": {"stall": "60s"}})


@pytest.fixture
def worker(bridge, closing):
    return closing(Worker(bridge))


def story(messages):
    """What came, as text: "4" for an event, "lost 5-6" for a gap; and that each gap is at its place, after what came before it."""
    told, offset = [], None
    for message in messages:
        data = message["data"]
        if data["type"] == "step":
            told.append(str(data["n"]))
            offset = message["meta"]["offset"]
        elif data["type"] == "gap":
            assert data["reason"] == "lost" and data["producer"] == "worker-1", data
            assert data["count"] == data["seq_to"] - data["seq_from"] + 1
            assert offset is None or data["offset"] >= offset, f"the gap {data} comes after {offset}"
            told.append(f"lost {data['seq_from']}-{data['seq_to']}")
    return told


def until(client, kind, **members):
    """Every message up to that one, with it."""
    messages = []
    while not messages or not (messages[-1]["data"]["type"] == kind
                               and all(messages[-1]["data"].get(name) == value for name, value in members.items())):
        messages.append(client.json())
    return messages


def cursor_of(message, epoch):
    return f"{epoch}:{message['meta']['offset']}"


@pytest.fixture
def away(bridge, worker, connect):
    """The cursor of a client that had the events 1 to 3, and left."""
    client = connect(bridge, meta=1)
    epoch = client.until("live")["data"]["epoch"]
    worker.publish(3)
    cursor = cursor_of(client.until("step", n=3), epoch)
    client.close()
    return cursor


@pytest.mark.parametrize("killed", KILL)
def test_a_loss_while_a_client_was_away_is_told_once_at_its_place(bridge, worker, connect, away, killed):
    worker.publish()
    worker.lose(2)                                                  # 5 and 6; then 7
    worker.publish()
    worker.lose_the_tail(3)                                         # 9 to 11
    epoch = bridge.status()["epoch"]
    if killed:
        bridge.kill9()
        bridge.restart()
        assert bridge.status()["epoch"] == epoch
    client = connect(bridge, meta=1, since=away)
    assert story(until(client, "live")) == ["4", "lost 5-6", "7", "8", "lost 9-11"]
    behind = connect(bridge, meta=1, since=away, topics="nothing")
    assert story(until(behind, "live")) == ["lost 5-6", "lost 9-11"]     # whatever it subscribes to
    assert story(until(connect(bridge, meta=1), "live")) == []           # who joins needs none of the past
    plain = connect(bridge, since=away)
    assert [plain.data().get("n") for _ in range(3)] == [4, 7, 8]


def test_in_band_and_everything_there_is(bridge, worker, connect, away):
    worker.publish()
    worker.lose(2)
    client = connect(bridge, meta=1, topics="nothing")
    client.until("live")
    client.send({"type": "subscribe", "id": 1, "topics": ["step"], "since": away})
    assert story(until(client, "live")) == ["4", "lost 5-6", "7"]
    assert story(until(connect(bridge, meta=1, since="0"), "live")) == ["1", "2", "3", "4", "lost 5-6", "7"]
    other_epoch = until(connect(bridge, meta=1, since="1:1"), "live")
    gap = next(message["data"] for message in other_epoch if message["data"]["type"] == "gap")
    assert gap["reason"] == "epoch"
    other_epoch = [message for message in other_epoch if message["data"] is not gap]
    assert story(other_epoch) == ["1", "2", "3", "4", "lost 5-6", "7"]


def test_a_client_that_catches_up_slowly(bridge, worker, closing, away):
    """The socket takes no more in the middle of the replay; what is lost meanwhile is told as well, in its turn."""
    pad = "x" * 20_000
    worker.publish(300, pad=pad)                                    # 6 MB: more than the sockets hold
    worker.lose(1)
    worker.publish(200, pad=pad)
    worker.control.wait_ack(worker.seq)
    slow = closing(RawWebSocket(bridge.port, f"/?token={bridge.token}&meta=1&topics=step&since={away}", receive_buffer=16_384))
    eventually(lambda: any(session["queued"] > 0 for session in bridge.status()["sessions"]), "a client that does not read")
    worker.lose(2)
    worker.lose_the_tail(1)
    last = worker.seq
    expected = [*map(str, range(4, 304)), "lost 304-304", *map(str, range(305, 506)), f"lost 506-507", "508", "lost 509-509"]
    assert last == 509
    messages = []
    while not messages or messages[-1]["data"]["type"] != "live":
        messages.append(json.loads(slow.next(slow.TEXT)))
    assert story(messages) == expected
