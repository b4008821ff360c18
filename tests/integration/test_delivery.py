"""The journal and resuming: what survives a restart, an unknown epoch, a full disk. Kills and stops: test_faults_*.py."""
import os
import subprocess

import pytest

JOURNAL = {"stream": {"path": "trestle.db"}}


@pytest.fixture
def journaled(trestled):
    return trestled(JOURNAL)


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
