"""A client that is cut at every single message and comes back with what the cursor rules let it keep has every event once."""
import pytest

from harness.client import Client
from harness.cuts import CutClient, cut_everywhere
from harness.raw import RawWebSocket

LATEST = ("queue-update", "graph_updated")
POLICIES = [{"match": "short", "keep": "log", "retain": {"count": 3}}]


class Stream:
    """A bridge, a plain producer, and the truth: every event with its offset, as a client sees it that nobody cuts."""

    def __init__(self, bridge, publisher):
        self.bridge, self._publisher = bridge, publisher(bridge)
        self._watcher = Client(bridge.ws_url(meta=1))
        self.epoch = self._watcher.until("live")["data"]["epoch"]
        self.truth = []

    def publish(self, *types):
        """One event of each type; returns the offset of the last."""
        for kind in types:
            number = len(self.truth)
            self._publisher.event({"type": kind, "n": number})
            envelope = self._watcher.until(kind, n=number)
            self.truth.append((envelope["meta"]["offset"], envelope["data"]))
        return self.truth[-1][0]

    def cursor(self, offset):
        return f"{self.epoch}:{offset}"

    def log(self, after, kinds):
        return [(offset, data) for offset, data in self.truth if offset > after and data["type"] in kinds]

    def state(self, upto=None):
        """{type: newest} of the `latest` topics, now or as it was at an offset."""
        return {data["type"]: data for offset, data in self.truth
                if data["type"] in LATEST and (upto is None or offset <= upto)}

    def close(self):
        self._watcher.close()


@pytest.fixture
def stream(trestled, publisher, closing):
    return closing(Stream(trestled({"stream": {"path": "trestle.db"}, "topics": POLICIES}), publisher))


def log_of(events):
    return [(offset, data) for offset, data in events if data["type"] not in LATEST]


def state_of(client):
    return {data["type"]: data for _, data in sorted(client.events + client.replayed, key=lambda event: event[0])
            if data["type"] in LATEST}


def check_rising(client):
    offsets = [offset for offset, _ in client.events]
    assert offsets == sorted(set(offsets)), "what moves the cursor came twice, or out of order"


def test_a_join(stream):
    """A join that was cut before its `live` has nothing to come back with: it joins anew, and what is owed begins there."""
    stream.publish("queue-update", "note", "graph_updated", "note")
    for messages in range(1, 8):                                    # welcome, two of the snapshot, live, three events
        client = CutClient(stream.bridge, ["note", "end", *LATEST])
        if messages <= 4:
            assert not client.connection(messages=messages)
        else:
            client.connection(messages=4)
            stream.publish("note", "graph_updated", "note", "note")
            assert not client.connection(messages=messages - 2)     # welcome, and so many of them
        stream.publish("note", "queue-update")
        if client.base is None:
            assert not client.connection(until_moved=True)
        stream.publish("note", "graph_updated", "end")
        client.to_the_end()
        check_rising(client)
        assert log_of(client.events) == stream.log(client.base, ("note", "end"))
        assert state_of(client) == stream.state()


def test_a_resume(stream):
    start = stream.publish("note", "queue-update", "note")
    stream.publish("note", "graph_updated", "note", "other", "note", "queue-update", "note")
    stream.publish("end")
    clients = cut_everywhere(
        lambda: CutClient(stream.bridge, ["note", "end", *LATEST], since=stream.cursor(start)),
        between=lambda: stream.publish("note", "graph_updated"))
    assert len(clients) > 8
    for client in clients:
        check_rising(client)
        assert log_of(client.events) == [event for event in stream.log(start, ("note", "end"))
                                         if event[0] <= client.events[-1][0]]
        assert client.replayed == [] and sum(client.gaps, []) == []


def test_a_replay_in_band(stream):
    start = stream.publish("note", "queue-update", "other", "note")
    stream.publish("note", "note", "other", "graph_updated", "note", "other", "end")
    subscribe = [("note", stream.cursor(start)), ("graph_updated", None)]
    clients = cut_everywhere(
        lambda: CutClient(stream.bridge, ["other", "end"], since=stream.cursor(start), subscribe=subscribe),
        between=lambda: stream.publish("other", "note", "other"))
    assert len(clients) > 12
    for client in clients:
        check_rising(client)
        got = sorted(log_of(client.events + client.replayed), key=lambda event: event[0])
        assert got == [event for event in stream.log(start, ("other", "note", "end")) if event[0] <= got[-1][0]]
        assert sum(client.gaps, []) == []
        assert client.topics == ["other", "end", "note", "graph_updated"]
        assert state_of(client)["graph_updated"] == stream.state()["graph_updated"]


def test_a_gap_of_what_was_trimmed(stream):
    start = stream.publish("note", "queue-update", "short", "note")
    stream.publish("note", "short", "short", "note", "graph_updated", "short", "note", "short", "short", "note", "end")
    kept = [event for event in stream.log(start, ("note", "end"))] + stream.log(start, ("short",))[-3:]
    clients = cut_everywhere(
        lambda: CutClient(stream.bridge, ["note", "short", "end", *LATEST], since=stream.cursor(start)))
    assert len(clients) > 10
    assert state_of(clients[0]) == stream.state()                   # the full snapshot, for whom nobody cut
    for client in clients:
        check_rising(client)
        assert log_of(client.events) == sorted(kept, key=lambda event: event[0])
        assert {**stream.state(start), **state_of(client)} == stream.state()
        assert client.gaps[0] == [] or client.gaps[0][0]["reason"] == "trimmed"
        assert all(len(gaps) <= 1 for gaps in client.gaps) and sum(client.gaps, []) != []


def test_a_gap_of_another_epoch(stream):
    stream.publish("note", "queue-update", "note", "short", "graph_updated", "note", "end")
    clients = cut_everywhere(
        lambda: CutClient(stream.bridge, ["note", "short", "end", *LATEST], since="12345:3"))
    assert len(clients) > 8
    for client in clients:
        check_rising(client)
        assert log_of(client.events) == stream.log(0, ("note", "short", "end"))
        assert state_of(client) == stream.state()
        assert {gap["reason"] for gaps in client.gaps for gap in gaps} == {"epoch"}
        assert all(len(gaps) <= 1 for gaps in client.gaps)


def test_live_never_tells_of_more_than_was_given(stream, publisher, connect, closing):
    """A subscription to what is held already is nothing to wait for, but neither may it end a resume that still goes on."""
    source, watcher, count = publisher(stream.bridge), connect(stream.bridge, topics="bulk"), 300
    for number in range(count):                                     # 6 MB: more than the kernel takes unread
        source.event({"type": "bulk", "n": number, "pad": "x" * 20_000})
        watcher.data()
    url = stream.bridge.ws_url(meta=1, topics="bulk", since="0")
    socket = closing(RawWebSocket(stream.bridge.port, url[url.index("/?"):]))
    socket.send(RawWebSocket.TEXT, b'{"type":"subscribe","id":1,"topics":["bulk"]}')
    stream.bridge.wait_status(lambda status: status["sessions_total"] == 3, "the session")
    events, lives = 0, 0
    while lives < 2:
        text = socket.next(RawWebSocket.TEXT)
        if text.startswith(b'{"success":true,"data":{"type":"live"'):
            assert events == count, "live, and not everything is there"
            lives += 1
        elif b'"meta":' in text:
            events += 1
