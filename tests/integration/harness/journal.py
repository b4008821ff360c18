"""A journal with a past, and what becomes of damaged copies of it: for the tests of trestled's start."""
import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import tempfile
import threading
import time

import yaml
import zmq

from .bridge import BINARY, SANITIZER_REPORT, TOKEN, bridge_environment
from .producer import now_us, stamp
from .raw import RawWebSocket
from .wait import PATIENCE, TIMEOUT

DATABASE, WAL, HEAD = FILES = ("trestle.db", "trestle.db-wal", "trestle.db.head")
TOPICS = [
    {"match": "few", "keep": "log", "retain": {"count": 150}},
    {"match": "job-progress.*", "keep": "latest", "key": "/id", "until": "job-finished.*"},
    {"match": "job-finished.*", "keep": "log", "key": "/id"},
    {"match": "state.*", "keep": "latest", "key": "/id"},
    {"match": "tick", "keep": "none"},
]
PRODUCERS = ("p1", "p2")
SPLIT = re.compile(r'^\{"success":true,"data":(.*),"meta":(\{[^{}]*\})\}$', re.DOTALL)


def kept_offset(folder):
    """The last offset in the journal, of a copy: to open it may change its files."""
    with tempfile.TemporaryDirectory() as copy:
        for name in (DATABASE, WAL):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(pathlib.Path(folder) / name, pathlib.Path(copy) / name)
        with contextlib.closing(sqlite3.connect(pathlib.Path(copy) / DATABASE)) as database:
            return database.execute("SELECT head FROM meta").fetchone()[0]


def told_offset(folder):
    """The last offset in the head file."""
    return int((pathlib.Path(folder) / HEAD).read_text().split()[2])


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def stamp_head(folder):
    """The head file of a copied folder says when it was written, and its copy is younger: to trestled that is a journal
    that was put back. Written again with the time of now, it is what the bridge itself would have left."""
    path = folder / HEAD
    epoch, offset, state, boot, *_ = path.read_text().split()[1:]
    text = f"{epoch} {offset} {state} {boot} {now_us()}"
    path.write_text(f"{crc32c(text.encode()):08x} {text}".ljust(255) + "\n")


class Reader:
    """A client with meta=1 that has been read up to `live`."""

    def __init__(self, port, since):
        self._socket = RawWebSocket(port, f"/?token={TOKEN}&meta=1&since={since}")
        self.epoch = None
        self.gaps = []                                              # reasons
        self.events = {}                                            # offset → (topic, time, payload)
        self.order = []
        while self.read() != "live":
            pass

    def read(self):
        """Takes the next message; its type if it is a notice, else None."""
        text = self._socket.next(RawWebSocket.TEXT).decode()
        parts = SPLIT.match(text)
        if parts:
            meta = json.loads(parts[2])
            self.order.append(meta["offset"])
            self.events[meta["offset"]] = (meta["topic"], meta["time"], parts[1])
            return None
        data = json.loads(text)["data"]
        self.epoch = data["epoch"]
        if data["type"] == "gap":
            self.gaps.append(data["reason"])
        return data["type"]

    def wait_for(self, payload):
        """Reads on until that payload comes; its offset."""
        while not self.order or self.events[self.order[-1]][2] != payload:
            self.read()
        return self.order[-1]

    def close(self):
        self._socket.close()


class Worker:
    """What one row of bridges, one after the other, is fed by: it binds, they dial."""

    def __init__(self, folder):
        self.context = zmq.Context()
        self.address = f"ipc://{folder}/events.sock"
        self.socket = self.context.socket(zmq.XPUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self.socket.bind(self.address)

    def wait_subscribed(self):
        assert self.socket.poll(TIMEOUT * 1000), "no bridge has subscribed"
        while self.socket.recv() != b"\x01":
            pass

    def hello(self, folder, producer, epoch, last):
        """The seq that the bridge welcomes this producer with."""
        control = self.context.socket(zmq.DEALER)
        control.setsockopt(zmq.LINGER, 0)
        control.connect(f"ipc://{folder}/control.sock")
        control.send(json.dumps({"type": "hello", "v": 1, "producer": producer, "epoch": epoch, "first": 1, "last": last,
                                 "acked": last}).encode())
        assert control.poll(TIMEOUT * 1000), "no welcome"
        welcome = json.loads(control.recv())
        control.close()
        assert welcome["type"] == "welcome", welcome
        return welcome["seq"]

    def close(self):
        self.context.destroy(linger=0)


class Run:
    """One trestled on the journal in `folder`."""

    def __init__(self, folder, worker, config=None, prefix=()):
        self.folder = pathlib.Path(folder)
        settings = {
            "listen": {"address": "127.0.0.1", "port": 0}, "auth": {"token": TOKEN}, "shards": 1,
            "ingest": {"bind": [], "connect": [worker.address], "control": f"ipc://{folder}/control.sock"},
            "stream": {"path": DATABASE}, "log": {"format": "json"}, "topics": TOPICS, **(config or {}),
        }
        (self.folder / "trestle.yaml").write_text(yaml.safe_dump(settings))
        started = time.monotonic()
        self.process = subprocess.Popen([*prefix, str(BINARY), "-c", str(self.folder / "trestle.yaml")], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env=bridge_environment({}))
        self._guard = threading.Timer(6 * TIMEOUT, self.process.kill)  # nothing waits for ever
        self._guard.start()
        self.lines = []
        self.ready = self._read_until("ready")
        self.seconds = time.monotonic() - started
        self.port = int(self.ready["url"].rsplit(":", 1)[1]) if self.ready else None

    def _read_until(self, message):
        for line in self.process.stdout:
            self.lines.append(line.decode(errors="replace"))
            if f'"msg":"{message}"' in self.lines[-1]:
                return json.loads(self.lines[-1])
        return None

    def logs(self, message):
        return [json.loads(line) for line in self.lines if f'"msg":"{message}"' in line]

    def output(self):
        return "".join(self.lines)

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.finish()

    def kill9(self):
        self.process.kill()
        return self.finish()

    def finish(self):
        self.lines += [line.decode(errors="replace") for line in self.process.stdout]
        code = self.process.wait(5 * PATIENCE)
        self._guard.cancel()
        self.process.stdout.close()
        assert not SANITIZER_REPORT.search(self.output()), self.output()[-8000:]
        return code


class Original:
    """A journal that trestled has made in three lives, the last cut off by kill -9: part of it is in the database, part
    in the write-ahead log. Knows all that clients saw, and what the undamaged journal serves. `older` is a copy from the
    end of its first life, by kill -9 too."""

    LIVES = ((300, 20), (600, 0), (600, 30))                        # events, of which so many were not waited for

    def __init__(self, folder, worker):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.worker = worker
        self.seen = {}                                              # offset → event, of this epoch
        self.producer_epoch = now_us()
        self.seqs = dict.fromkeys(PRODUCERS, 0)
        self._numbers = 0
        self._published = set()
        self.older = self.folder.with_name("older")
        for count, burst in self.LIVES:
            self._live(count, burst)
            while kept_offset(self.folder) != told_offset(self.folder):
                self._live(50, 1)                                   # see there: the last commit may not be lost either
            if not self.older.exists():
                shutil.copytree(self.folder, self.older, ignore=shutil.ignore_patterns("*.sock*"))
        self.whole = None                                           # offset → event, as the undamaged copy serves them

    def _live(self, count, burst):
        run = Run(self.folder, self.worker)
        self.worker.wait_subscribed()
        for name in PRODUCERS:
            self.worker.hello(self.folder, name, self.producer_epoch, self.seqs[name])
        reader = Reader(run.port, "0")
        for _ in range(0, count, 50):
            payload = [self._publish() for _ in range(50)][-1]
            reader.wait_for(payload)
        for _ in range(burst):
            self._publish(plain=True)
        self.seen.update(reader.events)
        self.epoch = reader.epoch
        self.last_seen = max(reader.order)
        reader.close()
        run.kill9() if burst else run.stop()

    def _publish(self, plain=False):
        """The next of a mixed row of events; every tenth is sequenced, the last of each fifty is plain and logged."""
        self._numbers += 1
        n = self._numbers
        pad = "x" * (n * 37 % 400)
        event = (
            {"type": "few", "n": n, "pad": pad}, {"type": "state", "id": f"s{n % 70}", "n": n, "pad": pad},
            {"type": "tick", "n": n}, {"type": "job-progress", "id": f"j{n // 30}", "n": n},
            {"type": "note", "n": n, "pad": pad})[n % 5]
        if n % 30 == 29:
            event = {"type": "job-finished", "id": f"j{n // 30}", "n": n}
        if n % 50 == 0:
            event = {"type": "note", "n": n}
        payload = json.dumps(event, separators=(",", ":"))
        self._published.add(payload)
        if n % 10 == 3 and not plain:
            name = PRODUCERS[n // 10 % 2]
            self.seqs[name] += 1
            self.worker.socket.send_multipart(
                [b"", name.encode(), stamp(self.producer_epoch, self.seqs[name]), payload.encode()])
        else:
            self.worker.socket.send(payload.encode())
        return payload

    def knows(self, offset, event):
        """Whether that is what clients saw there; past what any saw, whether it is one of the last events published."""
        if offset in self.seen:
            return self.seen[offset] == event
        return offset > self.last_seen and event[2] in self._published

    def copy(self, folder):
        """All its files, as trestled left them."""
        folder.mkdir(parents=True)
        for name in FILES:
            shutil.copyfile(self.folder / name, folder / name)
        stamp_head(folder)
        return folder


class Judge:
    """Starts trestled on a copy twice and checks all that is promised; keeps count of the outcomes."""

    def __init__(self, original):
        self.original = original
        self.outcomes = collections.Counter()
        self.seconds = []

    def start(self, folder, worker):
        """The first start after the damage. Returns what was served, and the epoch."""
        run = Run(folder, worker)
        assert run.ready, f"trestled ended with {run.finish()}: {run.output()}"
        worker.wait_subscribed()
        self.seconds.append(run.seconds)
        everything = Reader(run.port, "0")
        resumed = Reader(run.port, f"{self.original.epoch}:{self.original.last_seen}")
        self._check_served(everything, resumed, run)
        known = {name: worker.hello(folder, name, self.original.producer_epoch, self.original.seqs[name])
                 for name in PRODUCERS}
        self._check_producers(known, everything.epoch)
        self._publish(worker, resumed)
        everything.close()
        resumed.close()
        assert run.stop() == 0, run.output()
        return {**everything.events, resumed.order[-1]: resumed.events[resumed.order[-1]]}, everything.epoch

    def _check_served(self, everything, resumed, run):
        for reader in (everything, resumed):
            assert reader.order == sorted(set(reader.order)), "offsets must rise"
            for offset, event in reader.events.items():
                assert self.original.knows(offset, event), (offset, event, self.original.seen.get(offset))
        if everything.epoch == self.original.epoch:
            assert everything.events == self.original.whole, "the same epoch, so whole"
            assert resumed.gaps == []
            self.outcomes["whole"] += 1
        else:
            assert resumed.gaps == ["epoch"]
            assert int(everything.epoch) > int(self.original.epoch)
            assert resumed.events == everything.events
            self.outcomes[self._explanation(run)] += 1

    def _explanation(self, run):
        """A new epoch is explained in a line that names the file, and what is wrong with it."""
        told = run.logs("the journal is set aside, a new one starts in a new epoch") + run.logs(
            "new epoch: the journal may miss events that clients have seen")
        assert told, run.output()
        for line in told:
            assert line["journal"].endswith(DATABASE) and line["why"], line
        return "set aside" if "aside" in told[0] else "kept, new epoch"

    def _check_producers(self, known, epoch):
        for name, seq in known.items():
            assert seq <= self.original.seqs[name], "nobody may be believed to have sent what it has not"
            if epoch == self.original.epoch:
                assert seq == self.original.seqs[name], known

    def _publish(self, worker, live):
        payload = json.dumps({"type": "note", "after": "damage"}, separators=(",", ":"))
        worker.socket.send(payload.encode())
        offset = live.wait_for(payload)
        if live.epoch == self.original.epoch:
            assert offset > max(max(self.original.seen), max(self.original.whole))

    def start_again(self, folder, worker, served, epoch):
        """What the first start left is a journal like any other."""
        run = Run(folder, worker)
        assert run.ready, f"the second time trestled ended with {run.finish()}: {run.output()}"
        worker.wait_subscribed()
        reader = Reader(run.port, "0")
        reader.close()
        assert run.stop() == 0, run.output()
        assert reader.epoch == epoch, run.output()
        assert reader.events == served

    def judge(self, folder, worker):
        served, epoch = self.start(folder, worker)
        self.start_again(folder, worker, served, epoch)


def flip(path, random, count):
    """Changes `count` random bytes; returns where."""
    size = path.stat().st_size
    places = [random.randrange(size) for _ in range(count)]
    with open(path, "r+b") as file:
        for place in places:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(struct.pack("B", byte ^ random.randrange(1, 256)))
    return places


def truncate(path, random):
    """Cuts the file at a random length, which it returns."""
    length = random.randrange(path.stat().st_size)
    os.truncate(path, length)
    return length
