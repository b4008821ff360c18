"""Clients that mean harm: bounded, counted, and nobody else is disturbed."""
import contextlib
import json
import resource
import select
import time

import pytest

from harness.innocent import Innocent, memory_kb
from harness.raw import RawWebSocket, connect as open_socket, upgrade
from harness.wait import PATIENCE, TIMEOUT, eventually, share_of

MIB = 1024
SLACK_KB = 24 * MIB * (1 if PATIENCE == 1 else 12)                  # sanitizers keep what is freed
SILENT_KB = 6 * (1 if PATIENCE == 1 else 8)                         # a connection that has said nothing
REQUEST_TIME = 10                                                   # trestled's, for the whole HTTP request


@pytest.fixture
def beside(trestled, connect):
    """beside(config): a bridge with somebody innocent at it, who had every event on time when the test ends."""
    innocents = []

    def start(config=None, **options):
        bridge = trestled(config, **options)
        innocents.append(Innocent(bridge, connect))
        return bridge

    yield start
    for innocent in innocents:
        innocent.check()


@pytest.fixture
def many():
    """many(make, count): that many sockets, closed at the end."""
    with contextlib.ExitStack() as ends:
        yield lambda make, count: [ends.enter_context(contextlib.closing(make())) for _ in range(count)]


def counter(bridge, name):
    return bridge.status()["counters"][name]


def cpu_seconds(bridge):
    with open(f"/proc/{bridge.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def tiny(bridge, **query):
    """A client of which the kernel takes as little as it can."""
    words = "".join(f"&{name}={value}" for name, value in query.items())
    return RawWebSocket(bridge.port, f"/?token={bridge.token}{words}", receive_buffer=1)


@pytest.mark.parametrize("query", [{}, {"meta": 1}], ids=["plain", "meta"])
def test_who_reads_a_byte_at_a_time_gets_4408(beside, many, publisher, query):
    queue_kb = 256
    bridge = beside({"session": {"queue": f"{queue_kb}KiB", "stall": "1s"}, "heartbeat": {"enabled": False},
                     "topics": [{"match": "flood", "keep": "log", "retain": {"count": 1000}}]})
    before = memory_kb(bridge)
    readers = many(lambda: tiny(bridge, topics="flood", **query), 40)
    source, most = publisher(bridge), 0
    for n in range(share_of(2000, least=500)):
        source.event({"type": "flood", "n": n, "pad": "x" * 2000})
        if n % 100 == 0:
            most = max(most, memory_kb(bridge))
    deadline = time.monotonic() + 2 * TIMEOUT
    while counter(bridge, "too_slow") < len(readers):
        assert time.monotonic() < deadline, bridge.status()["counters"]
        for reader in readers:
            with contextlib.suppress(OSError):
                reader.sock.recv(1)
        most = max(most, memory_kb(bridge))
        time.sleep(0.2)
    assert most - before < len(readers) * queue_kb + SLACK_KB
    bridge.wait_status(lambda status: status["sessions_total"] == 1, "only the innocent left")


def test_who_never_answers_a_ping_is_dropped(beside, many):
    bridge = beside({"heartbeat": {"interval": "300ms", "timeout": f"{int(500 * PATIENCE)}ms"}})
    count = share_of(300, least=30)
    dead = many(lambda: RawWebSocket(bridge.port, f"/?token={bridge.token}&topics="), count)
    bridge.wait_status(lambda status: status["counters"]["heartbeat_lost"] == count, "all of them noticed")
    assert bridge.status()["sessions_total"] == 1
    assert dead[0].close_code() == 1006


def frame(text):
    """A text frame under a mask of zeros."""
    payload = text if isinstance(text, bytes) else json.dumps(text).encode()
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + len(payload).to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + payload


REQUESTS = [{"type": "ping", "id": 1}, {"type": "status", "id": 2}, {"type": "subscribe", "id": 3, "topics": ["a.>"]},
            {"type": "subscribe", "id": 4, "topics": [f"t{n}.*" for n in range(50)], "since": "0"},
            {"type": "unsubscribe", "id": 5, "topics": ["a.>"]}, {"type": "auth", "id": 6, "token": "wrong"},
            b"not JSON", b"{" * 100]


def test_who_sends_10000_requests_a_second_gets_4429(beside, closing, publisher):
    bridge = beside()
    source = publisher(bridge)
    for n in range(1000):
        source.event({"type": "note", "n": n})                      # something to be replayed
    flood = b"".join(frame(request) for request in REQUESTS) * 1250
    before, rounds = memory_kb(bridge), 10
    for _ in range(rounds):
        ws = RawWebSocket(bridge.port, "/?token=" + bridge.token)
        with contextlib.suppress(OSError):
            ws.sock.sendall(flood)
        assert ws.close_code() in (4429, 1006)                      # 1006: a reset threw the close frame away
        ws.close()
    bridge.wait_status(lambda status: status["counters"]["refused"] == rounds, "each of them refused")
    assert memory_kb(bridge) - before < SLACK_KB


@pytest.mark.parametrize("token", [True, False], ids=["live", "waiting for its token"])
def test_without_a_limit_requests_cost_their_sender(beside, many, token):
    """10,000 a second from each, and no answer is ever read."""
    queue_kb = 256
    bridge = beside({"limits": {"requests_per_second": 1_000_000}, "session": {"queue": f"{queue_kb}KiB", "stall": "1s"},
                     "auth": {"timeout": "60s"}})
    before = most = memory_kb(bridge)
    # Ever more than the kernel itself keeps for who does not read: 4 MB of tcp_wmem.
    flood = frame({"type": "status", "id": "x" * 1000}) * share_of(10_000, least=4500)
    senders = many(lambda: tiny(bridge, topics="") if token else RawWebSocket(bridge.port, "/", receive_buffer=1), 4)
    for sender in senders:
        with contextlib.suppress(OSError):
            sender.sock.sendall(flood)
        most = max(most, memory_kb(bridge))
    bridge.wait_status(lambda status: status["counters"]["too_slow"] == len(senders), "each of them closed")
    assert most - before < len(senders) * queue_kb + SLACK_KB


def descriptors(count):
    """Room for so many sockets here and in a trestled that is started now; skips where there is none."""
    wanted = count + 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, OSError) as why:
        pytest.skip(f"needs {wanted} file descriptors (ulimit -n), and the hard limit is {hard}: {why}")


def test_10000_connections_that_say_nothing(beside, many):
    count = share_of(10_000)
    descriptors(count)
    bridge = beside()
    before = memory_kb(bridge)
    silent = many(lambda: open_socket(bridge.port), count)
    bridge.wait_status(lambda status: status["counters"]["connections"] > count, "all of them accepted")
    assert memory_kb(bridge) - before < count * SILENT_KB + SLACK_KB
    for sock in silent[: count // 2]:
        sock.close()
    eventually(lambda: bridge.status()["connections_total"] <= 2, "all but the innocent, and who asks, gone",
               timeout=REQUEST_TIME + 2 * TIMEOUT, every=0.2)
    status = bridge.status()
    assert status["counters"]["timed_out"] >= count - count // 2    # those that stayed silent
    assert (status["sessions_total"], status["counters"]["accept_pauses"]) == (1, 0)


def test_descriptors_run_out(beside, many, connect, sequenced):
    limit = 256
    bridge = beside(prefix=["prlimit", f"--nofile={limit}:{limit}"])
    silent = many(lambda: open_socket(bridge.port), 2 * limit)      # the rest waits in the kernel
    eventually(lambda: bridge.logs("few file descriptors left, accepting clients pauses until some are free "
                                   "(raise LimitNOFILE or ulimit -n)"), "the log line")
    with Waiting(bridge) as waiting:
        assert not waiting.answered(0.3)
        begun, before = time.monotonic(), cpu_seconds(bridge)
        assert not waiting.answered(1)
        spent = (cpu_seconds(bridge) - before) / (time.monotonic() - begun)
        assert spent < 0.3, f"{spent:.2f} of a core while nothing can be accepted"
        sequenced(bridge, "late").event({"type": "note"})           # a producer still finds room
        for sock in silent:
            sock.close()
        assert waiting.answered(TIMEOUT)
    assert connect(bridge).request("ping")["success"]
    assert counter(bridge, "accept_pauses") >= 1
    assert len([line for line in bridge.logs() if "few file descriptors left" in line["msg"]]) == 1


class Waiting:
    """A client whose connection is in the kernel's queue, and whose request is under way."""

    def __init__(self, bridge):
        self._sock = open_socket(bridge.port)
        self._sock.sendall(upgrade("/?token=" + bridge.token))

    def answered(self, seconds):
        return bool(select.select([self._sock], [], [], seconds)[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sock.close()
