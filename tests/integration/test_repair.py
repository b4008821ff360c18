"""PUB/SUB drops; the control socket repairs it: replays, and an honest gap for what is no longer there."""
import pytest

from harness.producer import encoded, stamp


class Worker:
    """A producer that publishes only some of its events, as a lossy network would."""

    def __init__(self, sequenced):
        self.sequenced = sequenced
        self.control = sequenced.control

    def publish(self, *seqs):
        for seq in seqs:
            self.sequenced.publisher.sequenced("worker-1", self.sequenced.epoch, seq, {"type": "step", "n": seq})

    def replay(self, *seqs):
        for seq in seqs:
            self.control.raw(b"event", b"", b"worker-1", stamp(self.sequenced.epoch, seq), encoded({"type": "step", "n": seq}))


@pytest.fixture
def worker(bridge, sequenced):
    return Worker(sequenced(bridge))


@pytest.fixture
def client(bridge, connect):
    client = connect(bridge, meta="1")
    client.until("live")
    return client


def steps(client, count):
    return [client.until("step")["data"]["n"] for _ in range(count)]


def test_a_hole_is_asked_for_and_filled_in_order(worker, client):
    worker.publish(1, 2, 5, 6)
    asked = worker.control.receive("replay")
    assert (asked["from"], asked["to"]) == (3, 4)
    worker.replay(3, 4)
    assert steps(client, 6) == [1, 2, 3, 4, 5, 6]
    worker.control.wait_ack(6)


def test_a_missing_tail_is_learned_from_a_beat(worker, client):
    worker.publish(1)
    worker.control.beat(first=1, last=3)
    asked = worker.control.receive("replay")
    assert (asked["from"], asked["to"]) == (2, 3)
    worker.replay(2, 3)
    assert steps(client, 3) == [1, 2, 3]


def test_everything_missed_before_the_hello_is_asked_for(bridge, control, client):
    early = control(bridge, "early-bird")
    early.hello(first=1, last=2)
    assert early.receive("welcome")["seq"] == 0
    asked = early.receive("replay")
    assert (asked["from"], asked["to"]) == (1, 2)


def test_replayed_twice_is_delivered_once(worker, client):
    worker.publish(1, 3)
    worker.control.receive("replay")
    worker.replay(2, 2, 3)
    worker.publish(4)
    assert steps(client, 4) == [1, 2, 3, 4]


def test_what_is_gone_becomes_a_gap(worker, client):
    worker.publish(1, 4)
    asked = worker.control.receive("replay")
    worker.control.send("gone", **{"from": asked["from"], "to": asked["to"]})
    assert steps(client, 1) == [1]
    gap = client.until("gap")["data"]
    assert gap["reason"] == "lost" and gap["producer"] == "worker-1"
    assert (gap["seq_from"], gap["seq_to"]) == (2, 3)
    assert steps(client, 1) == [4]
    ack = worker.control.receive("ack")
    while ack["seq"] < 4:
        ack = worker.control.receive("ack")
    assert [2, 3] in ack["lost"]


def test_a_range_that_first_moves_past_is_lost(worker, client):
    worker.publish(1, 4)
    worker.control.receive("replay")                                # so the events are there: a beat can overtake them
    worker.control.beat(first=4, last=4)
    gap = client.until("gap")["data"]
    assert (gap["seq_from"], gap["seq_to"]) == (2, 3)
    assert steps(client, 1) == [4]


def test_a_gap_is_not_told_to_those_who_get_no_notices(bridge, worker, connect):
    plain = connect(bridge)
    worker.publish(1, 3)
    worker.control.receive("replay")
    worker.control.beat(first=3, last=3)
    assert [plain.data()["n"] for _ in range(2)] == [1, 3]


def test_status_counts_what_was_lost(bridge, worker, client):
    worker.publish(1, 4)
    worker.control.receive("replay")                                # so the events are there: a beat can overtake them
    worker.control.beat(first=4, last=4)
    assert steps(client, 2) == [1, 4]
    producer = next(entry for entry in bridge.status()["producers"] if entry["id"] == "worker-1")
    assert producer["lost"] == 2 and producer["events"] == 2
