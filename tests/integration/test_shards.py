"""Shards that are not equally far: what a client has seen from one, another may not have taken out of its inbox yet."""
import contextlib
import json
import multiprocessing
import os
import pathlib
import socket
import threading

import pytest

from harness.client import Client
from harness.raw import RawWebSocket
from harness.wait import TIMEOUT, share_of

COMPRESSED = 0x40
EVENTS = share_of(300, least=60)
ROUNDS = 50
GROUPS = 12
PAD = "the same words again and again " * 2000                      # some hundred microseconds of deflate


def spin(core, begun):
    os.sched_setaffinity(0, {core})
    begun.set()
    while True:
        pass


@contextlib.contextmanager
def starved(bridge, thread):
    """That thread of the bridge gets about a hundredth of a core while this goes on."""
    pid = bridge.process.pid
    tid, = [int(task.name) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
            if (task / "comm").read_text().strip() == thread]
    core = min(os.sched_getaffinity(tid))
    os.sched_setaffinity(tid, {core})
    os.setpriority(os.PRIO_PROCESS, tid, 19)
    fork = multiprocessing.get_context("fork")
    begun = fork.Event()
    hog = fork.Process(target=spin, args=(core, begun), daemon=True)
    hog.start()
    try:
        assert begun.wait(TIMEOUT)
        yield
    finally:
        hog.kill()
        hog.join()


class Deflated:
    """A client for whom its shard has to compress everything; reads all the time, and counts."""

    def __init__(self, bridge, **query):
        target = bridge.ws_url(meta=1, **query).split(str(bridge.port), 1)[1]
        self._socket = RawWebSocket(bridge.port, target, headers=["Sec-WebSocket-Extensions: permessage-deflate"])
        self.welcome = json.loads(self._socket.next(RawWebSocket.TEXT))
        self.events = 0
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        with contextlib.suppress(EOFError, OSError):
            while True:
                first, _ = self._socket.frame()
                self.events += bool(first & COMPRESSED)

    def close(self):
        self._socket.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


class Watcher(Client):
    """A client with meta that has got its welcome."""

    def __init__(self, bridge, **query):
        super().__init__(bridge.ws_url(meta=1, **query))
        self.welcome = self.until("welcome")


@pytest.fixture
def on_shard(closing):
    """on_shard(1, Watcher, bridge, topics=…): one that lives there."""
    def connect(shard, kind, bridge, **query):
        while True:                                                 # sockets are handed to shards in turn
            client = closing(kind(bridge, **query))
            if client.welcome["data"]["session"].startswith(f"{shard}-"):
                return client
    return connect


def test_a_cursor_from_the_other_shard_is_known(trestled, publisher, on_shard):
    bridge = trestled({"shards": 2, "topics": [{"match": "note", "keep": "log"}], "session": {"queue": "64MiB"}})
    source = publisher(bridge)
    quick = on_shard(0, Watcher, bridge, topics="note")
    live = on_shard(1, Watcher, bridge, topics="other")
    # Other topics, another group: what one of them gets is not compressed for the next.
    packed = [on_shard(1, Deflated, bridge, topics=f"note,{number}") for number in range(GROUPS)]
    for client in (quick, live):
        client.until("live")
    epoch = quick.welcome["data"]["epoch"]
    with starved(bridge, "shard-1"):
        for end in range(EVENTS, ROUNDS * EVENTS, EVENTS):          # a whole round may come before shard 1 has its turn
            for number in range(end - EVENTS, end):
                source.event({"type": "note", "n": number, "pad": PAD})
            last = quick.until("note", n=end - 1)["meta"]["offset"]
            if all(client.events < end - EVENTS / 2 for client in packed):
                break
        else:
            pytest.fail("shard 1 is not behind: this shows nothing")
        cursor = f"{epoch}:{last}"
        live.send(json.dumps({"type": "subscribe", "topics": ["note"], "since": cursor}))
        late = on_shard(1, Watcher, bridge, topics="note", since=cursor)
        assert late.welcome["data"]["offset"] >= last
        assert live.json()["data"]["type"] == "subscribed"
    for client in (late, live):
        assert client.json()["data"] == {"type": "live", "epoch": epoch, "offset": last}
    source.event({"type": "note", "n": "after"})
    for client in (late, live):
        assert client.json()["data"]["n"] == "after"
