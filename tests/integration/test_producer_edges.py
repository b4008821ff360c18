"""The corners of repair, through the real trestled: each ends as the design says, counted."""
import time

import pytest

from harness.producer import encoded, stamp
from harness.wait import TIMEOUT, eventually

EPOCH = 1_700_000_000_000_000
LOST_AFTER = 5                                                      # seconds of silence


@pytest.fixture
def client(bridge, connect):
    client = connect(bridge, meta="1")
    client.until("live")
    return client


def publish(source, control, *seqs):
    for seq in seqs:
        source.sequenced(control.producer, control.epoch, seq, {"type": "step", "n": seq, "epoch": control.epoch})


def replay(control, *seqs):
    for seq in seqs:
        event = {"type": "step", "n": seq, "epoch": control.epoch}
        control.raw(b"event", b"", control.producer.encode(), stamp(control.epoch, seq), encoded(event))


def steps(client, count):
    return [client.until("step")["data"]["n"] for _ in range(count)]


def until_end(client, publisher, bridge):
    """Everything that comes before an event published now: what was not to come can't come later than that."""
    publisher(bridge).event({"type": "end"})
    return client.collect("end")


def producer_of(bridge, name="worker-1"):
    return next(entry for entry in bridge.status()["producers"] if entry["id"] == name)


def state_is(bridge, state, timeout=TIMEOUT):
    eventually(lambda: producer_of(bridge)["state"] == state, state, timeout=timeout)


def test_a_restart_under_a_clock_that_stepped_back(bridge, client, control, publisher):
    source, first = publisher(bridge), control(bridge, epoch=EPOCH)
    first.hello()
    first.receive("welcome")
    publish(source, first, 1, 2, 4)
    assert steps(client, 2) == [1, 2]
    first.receive("replay")
    first.close()
    second = control(bridge, epoch=EPOCH - 3_600_000_000)
    second.hello()
    assert second.receive("refused")["reason"] == "in_use"
    state_is(bridge, "lost", LOST_AFTER + TIMEOUT)
    second.hello()
    assert second.receive("welcome")["seq"] == 0
    gap = client.until("gap")["data"]                               # the older epoch's open hole
    assert (gap["reason"], gap["seq_from"], gap["seq_to"]) == ("lost", 3, 3)
    assert steps(client, 1) == [4]
    publish(source, second, 1, 2)
    assert steps(client, 2) == [1, 2]
    publish(source, first, 5)                                       # a straggler
    eventually(lambda: bridge.rejections()["old_epoch"] == 1, "the straggler refused")
    assert until_end(client, publisher, bridge) == []
    entry = producer_of(bridge)
    assert (entry["epoch"], entry["seq"], entry["events"]) == (second.epoch, 2, 2)
    assert bridge.status()["counters"]["lost"] == 1


def test_two_live_producers_with_one_id(bridge, client, sequenced, control, publisher):
    first = sequenced(bridge, epoch=EPOCH)
    twin = control(bridge, epoch=EPOCH + 1)
    for number in range(1, 21):
        first.event({"type": "step", "n": number})
        twin.hello(first=1, last=number)
        publish(first.publisher, twin, number)
        assert twin.receive("refused")["reason"] == "in_use"
    assert steps(client, 20) == list(range(1, 21))
    first.control.wait_ack(20)
    rejections = eventually(lambda: (lambda r: r["unknown_producer"] == 20 and r)(bridge.rejections()), "twin's events refused")
    assert rejections["hello_refused"] == 20
    assert until_end(client, publisher, bridge) == []
    assert producer_of(bridge)["epoch"] == EPOCH and bridge.status()["counters"]["lost"] == 0


@pytest.mark.parametrize("first, acked, lost", [(5001, 5000, 0), (4990, 5000, 0), (5001, 4500, 500)])
def test_a_bridge_without_memory_meets_a_producer_at_5001(bridge, client, control, publisher, first, acked, lost):
    source, worker = publisher(bridge), control(bridge)
    worker.hello(first=first, last=5000, acked=acked)
    assert worker.receive("welcome")["seq"] == first - 1
    replay(worker, *range(first, 5001))
    publish(source, worker, 5001)
    got = steps(client, 5002 - first)
    assert got == list(range(first, 5002))
    worker.wait_ack(5001)
    assert producer_of(bridge)["lost"] == lost == bridge.status()["counters"]["lost"]


def test_a_beat_that_overtakes_its_events(bridge, client, control, publisher):
    source, worker = publisher(bridge), control(bridge)
    worker.hello()
    worker.receive("welcome")
    begun = time.monotonic()
    worker.beat(first=1, last=3)
    asked = worker.receive("replay")
    assert (asked["from"], asked["to"]) == (1, 3)
    assert time.monotonic() - begun >= 0.2
    publish(source, worker, 1, 2, 3)
    assert steps(client, 3) == [1, 2, 3]
    assert bridge.status()["counters"]["lost"] == 0


def test_stopped_for_10_s_in_the_middle_of_a_hole(bridge, client, control, publisher):
    source, worker = publisher(bridge), control(bridge)
    worker.hello()
    worker.receive("welcome")
    publish(source, worker, 1, 2, 5)
    worker.receive("replay")
    stopped = time.monotonic()
    state_is(bridge, "lost", LOST_AFTER + TIMEOUT)
    assert time.monotonic() - stopped > LOST_AFTER - 0.5
    time.sleep(max(0, 10 - (time.monotonic() - stopped)))
    worker.beat(first=1, last=5)
    asked = worker.receive("replay")
    assert (asked["from"], asked["to"]) == (3, 4)
    state_is(bridge, "online")
    replay(worker, 3, 4)
    assert steps(client, 5) == [1, 2, 3, 4, 5]
    entry = producer_of(bridge)
    assert (entry["events"], entry["lost"]) == (5, 0)


def test_bye_with_a_tail_still_missing(bridge, client, control, publisher):
    source, worker = publisher(bridge), control(bridge)
    worker.hello()
    worker.receive("welcome")
    publish(source, worker, 1)
    worker.wait_ack(1)
    worker.send("bye", last=3)
    asked = worker.receive("replay")                                # it lingers, and is asked
    assert (asked["from"], asked["to"]) == (2, 3)
    assert producer_of(bridge)["state"] == "gone"
    replay(worker, 2, 3)
    assert steps(client, 3) == [1, 2, 3]
    worker.wait_ack(3)
    entry = producer_of(bridge)
    assert (entry["state"], entry["events"], entry["lost"]) == ("gone", 3, 0)
