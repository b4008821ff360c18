"""Dead peers are found by WebSocket pings; everybody else is left alone."""
import json
import time

import pytest

from harness.raw import RawWebSocket
from harness.wait import PATIENCE, TIMEOUT

FAST = {"heartbeat": {"interval": "150ms", "timeout": f"{int(350 * PATIENCE)}ms"}}


@pytest.fixture
def fast(trestled):
    return trestled(FAST)


def join(bridge, closing, **query):
    return closing(RawWebSocket(bridge.port, "/?token=" + bridge.token))


def sessions(bridge):
    return bridge.status()["sessions_total"]


def test_a_peer_that_answers_nothing_is_dropped(fast, closing):
    dead = join(fast, closing)
    fast.wait_status(lambda status: status["sessions_total"] == 1, "the session")
    assert dead.next(dead.PING) is not None
    fast.wait_status(lambda status: status["sessions_total"] == 0, "the dead session gone")


def test_a_peer_that_answers_stays(fast, closing):
    living, dead = join(fast, closing), join(fast, closing)
    dropped = False
    deadline = time.monotonic() + 2 * TIMEOUT
    answered = 0
    while not (dropped and answered > 10):                          # it outlives its dead neighbour by far
        assert time.monotonic() < deadline
        living.send(living.PONG, living.next(living.PING))
        answered += 1
        dropped = dropped or sessions(fast) == 1
    assert dead.close_code() >= 1000


def test_any_byte_is_a_sign_of_life(fast, closing):
    """A client whose pings' answers are lost but who talks is alive."""
    talking = join(fast, closing)
    for n in range(20):
        talking.send(talking.TEXT, json.dumps({"type": "ping", "id": n}).encode())
        assert json.loads(talking.next(talking.TEXT))["data"]["id"] == n
        talking.next(talking.PING) if n == 0 else None
        time.sleep(0.05)
    assert sessions(fast) == 1


@pytest.mark.parametrize("talks", [True, False])
def test_a_living_client_that_does_not_read_is_left_to_stall(trestled, closing, publisher, connect, talks):
    """Its window is shut for far longer than the heartbeat takes, and TCP has more for it than that. The ping is behind it."""
    bridge = trestled(FAST | {"session": {"stall": "10m"}, "shards": 1})
    asleep = closing(RawWebSocket(bridge.port, "/?meta=1&token=" + bridge.token, receive_buffer=4096))
    source, reader = publisher(bridge), connect(bridge)
    count = 100
    for n in range(count):
        source.event({"type": "fill", "n": n, "pad": "x" * 20_000})
        reader.data()
    begun = time.monotonic()
    while time.monotonic() - begun < 3 * PATIENCE:
        if talks:
            asleep.send(asleep.PING, b"still here")
        time.sleep(0.05)
    seen = []
    while len(seen) < count:
        envelope = json.loads(asleep.next(asleep.TEXT))
        if "meta" in envelope:
            seen.append(envelope["data"]["n"])
    assert seen == list(range(count))
    assert bridge.status()["counters"]["heartbeat_lost"] == 0


def test_an_ordinary_client_never_notices(fast, connect):
    client = connect(fast)
    begun = time.monotonic()
    while time.monotonic() - begun < 1.5 * PATIENCE:
        client.request("ping")
        time.sleep(0.4 * PATIENCE)                                  # longer than the interval: it is pinged in between
    assert client.is_open and sessions(fast) == 1


def test_it_can_be_switched_off(trestled, closing, publisher):
    bridge = trestled({"heartbeat": {"enabled": False, "interval": "100ms", "timeout": "100ms"}})
    silent = join(bridge, closing)
    time.sleep(0.5)                                                 # five intervals in which nothing must happen
    publisher(bridge).event({"type": "hello"})
    first, payload = silent.frame()
    assert first == 0x81 and b"hello" in payload


def test_a_clients_ping_is_answered_with_its_bytes(bridge, closing):
    ws = join(bridge, closing)
    ws.send(ws.PING, b"are you there?")
    assert ws.next(ws.PONG) == b"are you there?"
