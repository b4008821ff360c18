"""How topics are completed, and the three shapes in which events come."""
import hashlib

import pytest

from harness.producer import Publisher
from harness.wait import TIMEOUT


@pytest.fixture
def watcher(bridge, connect):
    client = connect(bridge, meta="1")
    client.until("live")
    return client


def topic_of(watcher):
    return watcher.json()["meta"]["topic"]


LONG = "k" * 129
COMPLETED = [
    ({"type": "queue-update"}, "queue-update"),
    ({"type": "command-progress", "id": "a1"}, "command-progress.a1"),
    ({"type": "command-progress", "id": 17}, "command-progress.17"),
    ({"type": "command-progress", "id": 1.5}, "command-progress.1%2E5"),
    ({"type": "command-progress", "id": -3}, "command-progress.-3"),
    ({"type": "command-progress", "id": "a.b c/ü"}, "command-progress.a%2Eb%20c%2F%C3%BC"),
    ({"type": "command-progress", "id": "100%"}, "command-progress.100%25"),
    ({"type": "command-progress", "id": "k" * 128}, "command-progress." + "k" * 128),
    ({"type": "command-progress", "id": LONG}, "command-progress.~" + hashlib.sha256(LONG.encode()).hexdigest()[:32]),
    ({"type": "command-progress"}, "command-progress"),
    ({"type": "command-progress", "id": ""}, "command-progress"),
    ({"type": "command-progress", "id": None}, "command-progress"),
    ({"type": "command-progress", "id": {"a": 1}}, "command-progress"),
    ({"type": "task-finished", "taskConfig": {"id": "a1"}}, "task-finished.a1"),
    ({"type": "task-finished", "taskConfig": "a1"}, "task-finished"),
    ({"type": "agent_execution_started", "agent_id": "pizza_master"}, "agent_execution_started.pizza_master"),
    ({"type": "agent_execution_completed", "agent_id": "p"}, "agent_execution_completed.p"),
    ({"type": "streaming_output", "agent_id": "p"}, "streaming_output.p"),
    ({"type": "artifact_published", "artifact_type": "Pizza"}, "artifact_published.Pizza"),
    ({"type": "graph_updated"}, "graph_updated"),
    ({"type": "a.b"}, "a.b"),
    ({"type": "spaced out!"}, "spaced%20out%21"),
]


@pytest.mark.parametrize("event, topic", COMPLETED)
def test_the_bridge_completes_topics(bridge, publisher, watcher, event, topic):
    source = publisher(bridge)
    source.event(event)                                       # one frame
    source.event(event, topic="")                             # an empty topic
    assert topic_of(watcher) == topic
    assert topic_of(watcher) == topic


def test_a_topic_equal_to_the_type_is_completed(bridge, publisher, watcher):
    publisher(bridge).event({"type": "command-progress", "id": "a1"}, topic="command-progress")
    assert topic_of(watcher) == "command-progress.a1"


def test_a_longer_topic_is_kept(bridge, publisher, watcher):
    publisher(bridge).event({"type": "command-progress", "id": "a1"}, topic="command-progress.host-7.a1")
    assert topic_of(watcher) == "command-progress.host-7.a1"


def test_all_three_shapes_arrive(bridge, publisher, sequenced, watcher):
    source = publisher(bridge)
    source.event({"type": "shape", "frames": 1})
    source.event({"type": "shape", "frames": 2}, topic="shape")
    assert [watcher.json()["data"]["frames"] for _ in range(2)] == [1, 2]
    sequenced(bridge).event({"type": "shape", "frames": 4})
    assert watcher.until("shape")["data"]["frames"] == 4


def test_a_policy_of_ones_own_names_the_key(trestled, publisher, connect):
    bridge = trestled({"topics": [{"match": "sensor.*", "keep": "latest", "key": "/where/room"}]})
    client = connect(bridge, meta="1")
    client.until("live")
    publisher(bridge).event({"type": "sensor", "where": {"room": "attic"}})
    assert client.json()["meta"]["topic"] == "sensor.attic"
    assert connect(bridge).data()["where"]["room"] == "attic"


def test_a_plain_PUB_socket_and_nothing_else_is_a_producer(bridge, connect):
    """The README's five lines: a PUB drops what it sends before the bridge has subscribed, so send until it is seen."""
    import zmq
    client = connect(bridge)
    context = zmq.Context()
    socket = context.socket(zmq.PUB)
    socket.connect(bridge.events_addr)
    try:
        for _ in range(int(TIMEOUT * 20)):
            socket.send(b'{"type":"hello"}')
            try:
                assert client.text(timeout=0.05) == '{"success":true,"data":{"type":"hello"}}'
                return
            except AssertionError:
                continue
        pytest.fail("the bridge never subscribed")
    finally:
        context.destroy(linger=0)


def test_the_bridge_dials_out_to_producers_that_bind(trestled, closing, connect, tmp_path):
    address = f"ipc://{tmp_path}/source.sock"
    bridge = trestled({"ingest": {"connect": [address]}})
    client = connect(bridge)
    closing(Publisher(bind=address)).event({"type": "hello"})
    assert client.data() == {"type": "hello"}


def test_ipc_addresses_can_be_bound(trestled, closing, connect, tmp_path):
    address = f"ipc://{tmp_path}/events.sock"
    bridge = trestled({"ingest": {"bind": [address], "control": f"ipc://{tmp_path}/control.sock"}})
    bridge.events_addr, bridge.control_addr = address, f"ipc://{tmp_path}/control.sock"
    client = connect(bridge)
    closing(Publisher(address)).event({"type": "hello"})
    assert client.data() == {"type": "hello"}
