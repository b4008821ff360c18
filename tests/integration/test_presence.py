"""The control socket: hello and beat, welcome and ack, and who is there."""
import pytest

from harness.tokens import tokens
from harness.wait import TIMEOUT


@pytest.fixture
def observed(trestled, connect):
    """(bridge, client): a client that may read $sys and watches the producers."""
    file, (admin,) = tokens({"name": "operator", "scopes": ["admin"]})
    bridge = trestled({"auth": {"token": None}, "stream": {"path": "trestle.db"}}, files={"tokens.yaml": file})
    bridge.token = admin
    client = connect(bridge, topics="$sys.producer.*", meta="1")
    client.until("live")
    return bridge, client


def test_hello_is_answered_with_welcome(bridge, control):
    worker = control(bridge)
    worker.hello()
    welcome = worker.receive("welcome")
    assert welcome["v"] == 1 and welcome["producer"] == "worker-1"
    assert welcome["epoch"] == worker.epoch and welcome["seq"] == 0


def test_a_beat_of_a_stranger_counts_as_hello(bridge, control):
    worker = control(bridge)
    worker.beat()
    assert worker.receive("welcome")["seq"] == 0


def test_events_are_acked(bridge, sequenced):
    worker = sequenced(bridge)
    for n in range(100):
        worker.event({"type": "step", "n": n})
    ack = worker.control.receive("ack")
    while ack["seq"] < 100:
        ack = worker.control.receive("ack")
    assert ack["seq"] == 100 and ack.get("lost", []) == []


def test_an_unused_buffer_of_an_earlier_bridge_is_not_asked_for_twice(bridge, control, publisher, connect):
    """A producer that comes from another bridge says what was acked there; the numbering goes on after it."""
    client, source, worker = connect(bridge), publisher(bridge), control(bridge)
    worker.hello(first=8, last=7, acked=7)
    assert worker.receive("welcome")["seq"] == 7
    source.sequenced("worker-1", worker.epoch, 8, {"type": "step", "n": 8})
    assert client.data()["n"] == 8
    worker.wait_ack(8)


def test_events_before_the_hello_are_held_for_it(bridge, control, publisher, connect):
    client, source, worker = connect(bridge), publisher(bridge), control(bridge)
    for n in (1, 2, 3):
        source.sequenced("worker-1", worker.epoch, n, {"type": "step", "n": n})
    worker.hello(first=1, last=3)
    assert [client.data()["n"] for _ in range(3)] == [1, 2, 3]


def test_events_out_of_order_are_put_in_order(bridge, sequenced, connect):
    client, worker = connect(bridge), sequenced(bridge)
    for seq in (1, 3, 2, 5, 4):
        worker.publisher.sequenced("worker-1", worker.epoch, seq, {"type": "step", "n": seq})
    assert [client.data()["n"] for _ in range(5)] == [1, 2, 3, 4, 5]


def test_online_then_gone(observed, control):
    bridge, client = observed
    worker = control(bridge, "worker-9")
    worker.hello()
    online = client.until("$sys.producer", id="worker-9", state="online")
    assert online["meta"]["topic"] == "$sys.producer.worker-9"
    worker.send("bye", last=0)
    client.until("$sys.producer", id="worker-9", state="gone")


def test_silence_is_lost_and_a_beat_brings_it_back(observed, control):
    bridge, client = observed
    worker = control(bridge, "worker-9")
    worker.hello()
    client.until("$sys.producer", id="worker-9", state="online")
    client.until("$sys.producer", id="worker-9", state="lost", timeout=5 + TIMEOUT)
    worker.beat()
    client.until("$sys.producer", id="worker-9", state="online")


def test_a_late_watcher_learns_the_state_from_the_snapshot(observed, control, connect):
    bridge, client = observed
    worker = control(bridge, "worker-9")
    worker.hello()
    online = client.until("$sys.producer", id="worker-9", state="online")
    assert connect(bridge, topics="$sys.>").data() == online["data"]


def test_who_said_bye_stays_gone_over_a_restart_and_who_did_not_is_lost(observed, control, connect):
    bridge, client = observed
    first, second = control(bridge, "worker-1"), control(bridge, "worker-2")
    for worker in (first, second):
        worker.hello()
        client.until("$sys.producer", state="online")
    first.send("bye", last=0)
    client.until("$sys.producer", id="worker-1", state="gone")
    bridge.kill9()
    bridge.restart()
    producers = {one["id"]: one for one in bridge.status()["producers"]}
    assert producers["worker-1"]["state"] == "gone" and "last_seen_ms" not in producers["worker-1"]
    client = connect(bridge, topics="$sys.producer.*", meta="1")
    client.until("$sys.producer", id="worker-2", state="lost", timeout=5 + TIMEOUT)
    assert {one["id"]: one["state"] for one in bridge.status()["producers"]} == {"worker-1": "gone", "worker-2": "lost"}


def test_another_epoch_while_the_first_still_beats_is_refused(bridge, sequenced, control):
    first = sequenced(bridge)
    twin = control(bridge, "worker-1", epoch=first.epoch + 1)
    twin.hello()
    assert twin.receive("refused")["reason"] == "in_use"


def test_status_names_the_producers(bridge, sequenced):
    worker = sequenced(bridge, "worker-9")
    for n in range(3):
        worker.event({"type": "step", "n": n})
    worker.control.wait_ack(3)
    producer = next(entry for entry in bridge.status()["producers"] if entry["id"] == "worker-9")
    assert producer["state"] == "online" and producer["epoch"] == worker.epoch
    assert producer["seq"] == 3 and producer["events"] == 3 and producer["lost"] == 0


def test_one_producer_at_two_bridges(trestled, publisher, control, connect):
    bridges = [trestled(), trestled()]
    clients = [connect(bridge) for bridge in bridges]
    source = publisher(*bridges)
    controls = [control(bridge, "worker-1", epoch=1_700_000_000_000_000) for bridge in bridges]
    for worker in controls:
        worker.hello()
        worker.receive("welcome")
    for seq in range(1, 51):
        source.sequenced("worker-1", 1_700_000_000_000_000, seq, {"type": "step", "n": seq})
    for client, worker in zip(clients, controls):
        assert [client.data()["n"] for _ in range(50)] == list(range(1, 51))
        worker.wait_ack(50)


def test_producers_outlive_the_bridge(bridge, sequenced, connect):
    """Killed and started again: both sockets of a producer find the bridge by themselves, and a beat is enough."""
    worker = sequenced(bridge)
    worker.event({"type": "step", "n": 1})
    worker.control.wait_ack(1)
    bridge.kill9()
    bridge.restart()
    client = connect(bridge)
    worker.publisher.wait_subscribed()
    worker.control.beat(first=2, last=1)
    assert worker.control.receive("welcome")["seq"] == 1
    worker.event({"type": "step", "n": 2})
    assert client.until("step")["data"]["n"] == 2
    worker.control.wait_ack(2)
