"""Limits that clients run into: connections, requests, and what may wait for one of them."""
import json
import socket

import pytest

from harness.raw import RawWebSocket, connect as open_socket, upgrade
from harness.wait import TIMEOUT


@pytest.mark.parametrize("limit", ["connections", "per_address"])
def test_one_connection_too_many_is_4429(trestled, connect, limit):
    bridge = trestled({"limits": {limit: 2}})
    first, second = connect(bridge), connect(bridge)
    assert connect(bridge).close_code() == 4429
    assert first.request("ping")["success"] and second.request("ping")["success"]
    first.close()
    bridge.wait_status(lambda status: status["sessions_total"] == 1, "room again")
    assert connect(bridge).request("ping")["success"]


@pytest.mark.parametrize("limit", [2, 300])
def test_one_subscription_too_many_is_refused_and_the_others_stay(trestled, connect, limit):
    bridge = trestled({"limits": {"subscriptions": limit}})
    names = [f"t{n}" for n in range(limit)]
    full = connect(bridge, topics=",".join(names))
    for more, code in ((["more"], "too_many"), (names[:1], None)):      # what it has already is not one more
        answer = full.request("subscribe", topics=more)
        assert answer["data"].get("code") == code, answer
    assert sorted(full.request("status")["data"]["topics"]) == sorted(names)
    assert full.request("unsubscribe", topics=names[:1])["success"]
    assert full.request("subscribe", topics=["more"])["success"]
    assert full.request("subscribe", topics=["one-more"])["data"]["message"].startswith(f"at most {limit} patterns a session")
    closed = connect(bridge, topics=",".join([*names, "more"])).closed()
    assert (closed.code, closed.reason) == (4400, f"topics: more than {limit} patterns")


def test_too_many_requests(trestled, connect):
    """Over the limit a request is refused or the connection closed with 4429; nothing is left unanswered."""
    bridge = trestled({"limits": {"requests_per_second": 5}})
    client = connect(bridge)
    for n in range(100):
        try:
            client.send({"type": "ping", "id": n})
        except Exception:                                           # closed meanwhile
            break
    kinds = []
    try:
        while len(kinds) < 100:
            kinds.append(client.data())
    except Exception as end:
        assert getattr(end, "code", None) == 4429, end
    assert [data["type"] for data in kinds[:5]] == ["pong"] * 5
    assert len(kinds) < 100 or any(data.get("code") == "too_many" for data in kinds)


def unread(bridge, closing):
    """A client that takes nothing: its receive buffer is as small as the kernel allows."""
    sock = closing(socket.socket())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(TIMEOUT)
    sock.connect(("127.0.0.1", bridge.port))
    sock.sendall(upgrade("/?token=" + bridge.token))
    return sock


def test_a_client_that_does_not_read_is_closed_and_harms_nobody(trestled, connect, publisher, closing):
    bridge = trestled({"session": {"queue": "64KiB", "stall": "1s"}})
    reading, source = connect(bridge), publisher(bridge)
    unread(bridge, closing)
    bridge.wait_status(lambda status: status["sessions_total"] == 2, "both clients")
    for n in range(2000):
        source.event({"type": "note", "n": n, "pad": "x" * 4000})
        assert reading.data()["n"] == n
    bridge.wait_status(lambda status: status["sessions_total"] == 1, "the one that does not read closed")


def test_a_stalled_client_is_told_4408_if_it_still_can_be(trestled, connect, publisher, closing):
    bridge = trestled({"session": {"queue": "64KiB", "stall": "1s"}})
    slow = closing(RawWebSocket(bridge.port, "/?token=" + bridge.token))
    reading, source = connect(bridge), publisher(bridge)
    for n in range(4000):
        source.event({"type": "note", "n": n, "pad": "x" * 4000})
        reading.data()
    bridge.wait_status(lambda status: status["sessions_total"] == 1, "the slow one closed")
    seen = -1
    while True:                                                     # what did arrive is whole and in order
        try:
            first, payload = slow.frame()
        except (EOFError, ConnectionResetError):
            return
        if first & 0x0F == slow.CLOSE:
            assert int.from_bytes(payload[:2], "big") == 4408 and payload[2:].startswith(b"cursor=")
            return
        n = json.loads(payload)["data"]["n"]
        assert n == seen + 1
        seen = n


def test_one_event_larger_than_the_queue_still_passes(trestled, connect, publisher):
    bridge = trestled({"session": {"queue": "1KiB"}})
    client = connect(bridge)
    publisher(bridge).event({"type": "big", "pad": "x" * 300_000})
    assert len(client.data()["pad"]) == 300_000


def test_a_client_that_pings_and_never_reads_costs_little(bridge, closing):
    ws = closing(RawWebSocket(bridge.port, "/?token=" + bridge.token))
    ws.sock.settimeout(0.5)
    before = resident(bridge)
    try:
        for _ in range(20_000):
            ws.send(ws.PING, b"x" * 125)
    except OSError:
        pass                                                        # cut off, or its own buffers are full: both are fine
    assert resident(bridge) - before < 64 * 1024 * 1024
    with open_socket(bridge.port):
        assert bridge.healthy()


def resident(bridge):
    with open(f"/proc/{bridge.pid}/statm") as file:
        return int(file.read().split()[1]) * 4096
