"""Events that follow each other closely are delivered together where delivering to many takes long (session.coalesce)."""
import time

import pytest

from harness.wait import share_of

MANY = {"shards": 1, "session": {"coalesce": "1s"}, "limits": {"requests_per_second": 1000}}
EVENTS = 200


def crowd(connect, bridge, count):
    clients = [connect(bridge, meta=1) for _ in range(count)]
    for client in clients:
        client.until("live")
    return clients


def next_event(client):
    while True:
        envelope = client.json()
        if "meta" in envelope:
            return envelope


def offsets(client, count):
    return [next_event(client)["meta"]["offset"] for _ in range(count)]


def test_a_crowd_gets_events_together_and_all_of_them(trestled, publisher, connect):
    bridge = trestled(MANY)
    clients = crowd(connect, bridge, share_of(200, least=50))
    source = publisher(bridge)
    for number in range(EVENTS):
        source.event({"type": "tick", "number": number})
        time.sleep(0.001)  # so that the bridge gets them one by one; were it to sleep longer, nothing would be wrong
    seen = [offsets(client, EVENTS) for client in clients]
    assert all(one == seen[0] for one in seen)
    assert seen[0] == sorted(set(seen[0]))
    assert bridge.status()["counters"]["coalesced"] > 0


@pytest.mark.parametrize("coalesce, clients", [("1s", 1), ("0ms", 20)], ids=["one client", "switched off"])
def test_what_comes_alone_is_delivered_alone(trestled, publisher, connect, coalesce, clients):
    bridge = trestled({**MANY, "session": {"coalesce": coalesce}})
    crowded = crowd(connect, bridge, clients)
    source = publisher(bridge)
    for number in range(EVENTS):
        source.event({"type": "tick", "number": number})
        for client in crowded:
            next_event(client)
    assert bridge.status()["counters"]["coalesced"] == 0


def test_who_joins_while_events_wait_gets_them_once(trestled, publisher, connect):
    bridge = trestled(MANY)
    crowd(connect, bridge, 50)
    source = publisher(bridge)
    for number in range(20):
        source.event({"type": "tick", "number": number})
        late = connect(bridge, meta=1, since="0")
        source.event({"type": "last", "number": number})
        seen = []
        while not seen or seen[-1]["data"] != {"type": "last", "number": number}:
            seen.append(next_event(late))
        ticks = [one["data"]["number"] for one in seen if one["data"]["type"] == "tick"]
        assert ticks == list(range(number + 1))
        late.close()
