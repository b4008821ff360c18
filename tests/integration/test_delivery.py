"""What was accepted reaches every client once and in order, whatever happens to the bridge. Counts, not impressions."""
import concurrent.futures
import json
import os
import pathlib
import random
import subprocess
import threading
import time

import pytest
import websockets

from harness.bridge import REPOSITORY, bridge_environment
from harness.client import Client, Closed
from harness.wait import PATIENCE, eventually

TRESTLE = pathlib.Path(os.environ.get("TRESTLE_BIN", REPOSITORY / "build/bin")) / "trestle"
JOURNAL = {"stream": {"path": "trestle.db"}, "session": {"queue": "64MiB"}}
PATIENT = 120 * PATIENCE
BRIDGE_AWAY = (OSError, Closed, TimeoutError, concurrent.futures.TimeoutError, websockets.WebSocketException)


class Follower:
    """A client that comes back with its cursor by the rules of the wire, and remembers every event it got."""

    def __init__(self, bridge):
        self.seen = {}  # producer → numbers in the order of their arrival
        self.gaps = []
        self._bridge, self._cursor, self._ended = bridge, None, False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._ended:
            try:
                self._follow(Client(self._bridge.ws_url(meta=1, topics="seq.*,seq", **self._since())))
            except BRIDGE_AWAY:
                time.sleep(0.05)

    def _since(self):
        return {"since": self._cursor} if self._cursor else {"since": "0"}

    def _follow(self, client):
        epoch = None
        try:
            while not self._ended:
                try:
                    envelope = client.json(timeout=0.5)
                except AssertionError:
                    continue
                data = envelope["data"]
                if "meta" in envelope:
                    self.seen.setdefault(data["p"], []).append(data["n"])
                    if not envelope["meta"].get("replay"):
                        self._cursor = f"{epoch}:{envelope['meta']['offset']}"
                elif data["type"] == "gap":
                    self.gaps.append(data)
                    epoch = data["epoch"]
                else:
                    epoch = data.get("epoch", epoch)
                    if data["type"] in ("live", "cursor"):
                        self._cursor = f"{epoch}:{data['offset']}"
        finally:
            client.close()

    def end(self):
        self._ended = True
        self._thread.join(10)


class Source:
    """`trestle pub`, fed line by line: a real sequenced producer."""

    def __init__(self, bridge, name, count, per_second):
        self.name, self._count, self._per_second = name, count, per_second
        command = [str(TRESTLE), "pub", "--id", name, "--events", bridge.events_addr, "--control", bridge.control_addr,
                   "--timeout", f"{int(PATIENT)}s"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=bridge_environment({}))
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def _feed(self):
        start = time.monotonic()
        for number in range(self._count):
            line = json.dumps({"type": "seq", "p": self.name, "n": number}) + "\n"
            self.process.stdin.write(line.encode())
            if number % 50 == 0:
                self.process.stdin.flush()
                time.sleep(max(0, start + number / self._per_second - time.monotonic()))
        self.process.stdin.close()

    def finish(self):
        code = self.process.wait(PATIENT)
        assert code == 0, (self.name, code, self.process.stderr.read())


@pytest.fixture
def journaled(trestled):
    return trestled(JOURNAL)


@pytest.mark.parametrize("kills", [6])
def test_kill_9_of_the_bridge_loses_and_doubles_nothing(journaled, kills):
    count = 4_000
    sources = [Source(journaled, name, count, per_second=1_000) for name in ("a", "b")]
    followers = [Follower(journaled) for _ in range(2)]
    for _ in range(kills):
        time.sleep(random.uniform(0.2, 0.8))
        journaled.kill9()
        journaled.restart()
    for source in sources:
        source.finish()
    for follower in followers:
        eventually(lambda: all(len(follower.seen.get(name, [])) >= count for name in ("a", "b")), "every event",
                   timeout=PATIENT)
        follower.end()
        for name in ("a", "b"):
            assert follower.seen[name] == list(range(count))
        assert follower.gaps == []


def test_a_client_cut_at_every_message_of_a_resume_ends_with_every_event_once(journaled, publisher):
    source = publisher(journaled)
    watcher = Client(journaled.ws_url(meta=1))
    epoch = watcher.until("welcome")["data"]["epoch"]
    for number in range(12):
        source.event({"type": "seq", "n": number})
    offsets = [watcher.until("seq", n=number)["meta"]["offset"] for number in range(12)]
    watcher.close()
    for start in range(len(offsets)):
        cursor, got = offsets[start], []
        while True:
            client = Client(journaled.ws_url(meta=1, since=f"{epoch}:{cursor}"))
            client.until("welcome")
            envelope = client.json()
            client.close()
            if envelope["data"]["type"] == "live":
                break
            got.append(envelope["data"]["n"])
            cursor = envelope["meta"]["offset"]
        assert got == list(range(start + 1, 12))


def test_a_restart_keeps_epoch_log_snapshot_and_producers(journaled, publisher, connect):
    source = publisher(journaled)
    watcher = connect(journaled, meta=1)
    epoch = watcher.until("welcome")["data"]["epoch"]
    for number in range(3):
        source.event({"type": "note", "n": number})
    source.event({"type": "queue-update", "n": 9})
    watcher.until("queue-update")
    assert journaled.stop() == 0
    journaled.restart()
    again = connect(journaled, meta=1, since="0")
    assert again.until("welcome")["data"]["epoch"] == epoch
    assert [data["n"] for data in again.collect("live")] == [0, 1, 2, 9]


def test_an_unknown_epoch_is_answered_by_one_gap_and_everything_there_is(journaled, publisher, connect):
    source, watcher = publisher(journaled), connect(journaled)
    source.event({"type": "note", "n": 1})
    watcher.data()
    late = connect(journaled, meta=1, since="12345:1")
    late.until("welcome")
    gap = late.data()
    assert (gap["type"], gap["reason"]) == ("gap", "epoch")
    assert [data["n"] for data in late.collect("live")] == [1]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_a_full_disk_degrades_and_room_heals(make_bridge, publisher, connect):
    bridge = make_bridge({"stream": {"path": "small/trestle.db"}})
    small = bridge.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(small)], check=True)
    try:
        bridge.start()
        source, client = publisher(bridge), connect(bridge, meta=1, topics="note,$sys.health")
        first = client.until("welcome")["data"]["epoch"]
        source.event({"type": "note", "n": 0})
        client.until("note", n=0)
        assert bridge.http("/readyz")[0] == 200

        subprocess.run(["dd", "if=/dev/zero", f"of={small}/filler", "bs=64k"], stderr=subprocess.DEVNULL, check=False)
        pad = "x" * 10_000
        for number in range(1, 40):
            source.event({"type": "note", "n": number, "pad": pad})
        notes, states = [], []
        while len(notes) < 39 or not states:
            envelope = client.json()
            if envelope["data"]["type"] == "note":
                notes.append(envelope["data"]["n"])
            elif envelope["data"]["type"] == "$sys.health":
                states.append(envelope["data"]["state"])
            elif envelope["data"]["type"] == "gap":
                assert envelope["data"]["reason"] == "epoch"
        assert notes == list(range(1, 40))
        assert states == ["degraded"]
        assert bridge.http("/readyz")[0] == 503
        assert bridge.status()["state"] == "degraded"

        (small / "filler").unlink()
        client.until("$sys.health", state="ok")
        assert bridge.http("/readyz")[0] == 200
        source.event({"type": "note", "n": 100})
        client.until("note", n=100)
        assert bridge.status()["epoch"] != first
        assert bridge.stop() == 0
        bridge.restart()
        late = connect(bridge, since="0", topics="note")
        assert late.data()["n"] == 100
        assert bridge.stop() == 0
    finally:
        bridge.process.poll() is None and bridge.kill9()
        subprocess.run(["umount", str(small)], check=True)
