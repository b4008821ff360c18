"""What a client gets that joins in the middle."""
import pytest

from harness.wait import eventually


def progress(task, percentage):
    return {"type": "command-progress", "id": task, "currentStep": "COMPRESSION", "percentage": percentage}


def finished(task):
    return {"type": "task-finished", "taskConfig": {"id": task, "name": task, "status": "completed"}}


@pytest.fixture
def bridge(trestled):
    """With one shard: of several, one may be a moment behind, and what it has not seen yet comes live instead."""
    return trestled({"shards": 1})


@pytest.fixture
def stream(bridge, publisher, connect):
    """stream(event…): publishes, and returns when the bridge has delivered all of it."""
    source, watcher = publisher(bridge), connect(bridge)

    def publish(*events):
        for event in events:
            source.event(event)
        source.event({"type": "fence"})
        return watcher.collect("fence")
    return publish


def joins(client):
    """The snapshot: everything up to `live`."""
    return client.collect("live")[1:]


def test_the_newest_of_each_latest_topic_comes_at_once(bridge, stream, connect):
    stream({"type": "queue-update", "n": 1}, progress("t1", 10), progress("t2", 50), {"type": "queue-update", "n": 2},
           progress("t1", 20))
    seen = joins(connect(bridge, meta="1"))
    assert seen == [progress("t2", 50), {"type": "queue-update", "n": 2}, progress("t1", 20)]


def test_a_plain_client_gets_the_same_in_plain_envelopes(bridge, stream, connect):
    stream({"type": "queue-update", "n": 1}, progress("t1", 10))
    client = connect(bridge)
    assert client.text() == '{"success":true,"data":{"type": "queue-update", "n": 1}}'
    assert client.data() == progress("t1", 10)


def test_a_bare_client_gets_the_same_bare(bridge, stream, connect):
    stream({"type": "queue-update", "n": 1})
    assert connect(bridge, path="/plugin/ws").text() == '{"type": "queue-update", "n": 1}'


def test_snapshot_events_say_replay_and_live_events_do_not(bridge, stream, connect):
    stream({"type": "queue-update", "n": 1})
    client = connect(bridge, meta="1")
    head = client.until("welcome")["data"]["offset"]
    snapshot = client.until("queue-update")
    assert snapshot["meta"]["replay"] is True and snapshot["meta"]["offset"] <= head
    assert client.until("live")["data"]["offset"] >= snapshot["meta"]["offset"]
    stream({"type": "queue-update", "n": 2})
    assert "replay" not in client.until("queue-update", n=2)["meta"]


def test_log_topics_are_not_part_of_it(bridge, stream, connect):
    stream({"type": "streaming_output", "agent_id": "a", "content": "x"}, {"type": "note"})
    assert joins(connect(bridge, meta="1")) == []


def test_no_progress_of_finished_tasks(bridge, stream, connect):
    stream(progress("t1", 99), progress("t2", 40), finished("t1"))
    assert joins(connect(bridge, meta="1")) == [progress("t2", 40)]


def test_a_late_progress_is_delivered_but_never_resurrects_the_task(bridge, stream, connect):
    stream(progress("t1", 99), finished("t1"))
    assert stream(progress("t1", 100)) == [progress("t1", 100)]
    assert joins(connect(bridge, meta="1")) == []


def test_a_finish_that_comes_first_keeps_the_progress_out(bridge, stream, connect):
    stream(finished("t1"), progress("t1", 10))
    assert joins(connect(bridge, meta="1")) == []


def test_it_is_cut_to_the_subscription(bridge, stream, connect):
    stream({"type": "queue-update", "n": 1}, progress("t1", 10), progress("t2", 20))
    assert joins(connect(bridge, meta="1", topics="command-progress.t2")) == [progress("t2", 20)]
    assert joins(connect(bridge, meta="1", topics="")) == []


@pytest.mark.parametrize("shards", [1, 3])
def test_nothing_is_lost_or_doubled_between_snapshot_and_live(trestled, publisher, connect, shards):
    """Clients join while one topic counts up: each sees a strictly rising run without a hole."""
    bridge = trestled({"shards": shards})
    source = publisher(bridge)
    clients = []
    for n in range(300):
        source.event({"type": "queue-update", "n": n})
        if n % 10 == 0:
            clients.append(connect(bridge))
    for client in clients:
        seen = [client.data()["n"]]
        while seen[-1] < 299:
            seen.append(client.data()["n"])
        assert seen == list(range(seen[0], 300))


def test_a_big_snapshot_arrives_whole(bridge, stream, connect):
    for start in range(0, 3000, 500):  # each part fits the watcher's queue, however slow the watcher is
        stream(*(progress(f"t{n}", n) | {"pad": "x" * 2000} for n in range(start, start + 500)))
    client = connect(bridge)
    assert [client.data()["percentage"] for _ in range(3000)] == list(range(3000))


def test_what_a_policy_retains_of_its_topics(trestled, publisher, connect):
    """By number and by age, also over a restart."""
    bridge = trestled({"stream": {"path": "trestle.db"}, "shards": 1,
                       "topics": [{"match": "seat.*", "keep": "latest", "key": "/k", "retain": {"count": 2}},
                                  {"match": "pulse.*", "keep": "latest", "key": "/k", "retain": {"age": "1s"}}]})
    source, watcher = publisher(bridge), connect(bridge)
    seats, pulse = [{"type": "seat", "k": k} for k in range(5)], {"type": "pulse", "k": 1}
    for event in [*seats, pulse]:
        source.event(event)
        assert watcher.data() == event
    eventually(lambda: joins(connect(bridge, meta="1")) == seats[3:], "the two newest, and of those none that are too old")
    bridge.stop()
    bridge.restart()
    assert joins(connect(bridge, meta="1")) == seats[3:]
