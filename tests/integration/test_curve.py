"""CURVE on both ZeroMQ sockets: who is let in, what its key allows, and that a key taken off the list stops at once."""
import contextlib
import os
import re
import signal
import stat
import subprocess
import time

import pytest
import zmq

from harness.bridge import bridge_environment
from harness.curve import TRESTLE, CurveControl, CurvePublisher, KeyList, Keys, is_let_in, prove
from harness.producer import Sequenced
from harness.wait import PATIENCE, TIMEOUT, eventually, free_port

AT_ONCE = 1.0 * PATIENCE
SOON = 0.5 * PATIENCE  # for what must not happen
KINDS = {"events": zmq.PUB, "control": zmq.DEALER}


class Secured:
    """A bridge with CURVE, its list of producers, and one producer `worker` that may do everything."""

    def __init__(self, trestled, folder, config=None, **options):
        self.keys = Keys(folder, "bridge")
        self.worker = Keys(folder, "worker")
        self.listed = KeyList(folder / "producers.yaml", self.worker)
        curve = {"secret_key_file": str(self.keys.file), "producers_file": str(self.listed.path)}
        self.bridge = trestled({"ingest": {"curve": curve, **(config or {})}}, **options)

    def address(self, which):
        return self.bridge.events_addr if which == "events" else self.bridge.control_addr


@pytest.fixture
def secured(trestled, tmp_path):
    return Secured(trestled, tmp_path)


@pytest.fixture
def produce(closing):
    """produce(secured, keys, id): a sequenced producer with CURVE that has been welcomed."""
    def make(secured, keys=None, producer="worker-1"):
        keys = keys or secured.worker
        publisher = closing(CurvePublisher(secured.bridge.events_addr, keys, secured.keys.public))
        made = Sequenced.__new__(Sequenced)
        made.publisher, made.producer, made.seq = publisher, producer, 0
        made.control = closing(CurveControl(secured.bridge.control_addr, producer, keys, secured.keys.public))
        made.epoch = made.control.epoch
        made.control.hello()
        made.welcome = made.control.receive("welcome")
        return made
    return make


def rejected(secured, reason, count=1):
    return secured.bridge.wait_status(lambda status: status["rejections"][reason] >= count, f"{reason} counted")


# --- who is let in --------------------------------------------------------------------------------------------------------

def test_a_listed_producer_publishes_exactly_once(secured, produce, connect):
    client = connect(secured.bridge, meta=1)
    client.until("live")
    producer = produce(secured)
    for n in range(3):
        producer.event({"type": "hello", "n": n})
    producer.control.wait_ack(3)
    assert [client.until("hello")["data"]["n"] for _ in range(3)] == [0, 1, 2]
    assert secured.bridge.status()["curve"] == {"listed": 1, "refused": 0}
    line, = secured.bridge.logs("CURVE is on")
    assert line["public_key"] == secured.keys.public


def stranger(folder):
    return Keys(folder, "stranger")


@pytest.mark.parametrize("which", KINDS)
def test_whoever_is_not_listed_is_refused(secured, tmp_path, which):
    address, server, unlisted = secured.address(which), secured.keys.public, stranger(tmp_path)

    def plain(socket):
        socket.plain_username, socket.plain_password = b"admin", b"admin"

    def wrong_server_key(socket):
        prove(socket, secured.worker, unlisted.public)

    assert is_let_in(KINDS[which], address, lambda socket: prove(socket, secured.worker, server))
    for refused in (lambda socket: None, plain, wrong_server_key, lambda socket: prove(socket, unlisted, server)):
        assert not is_let_in(KINDS[which], address, refused, timeout=SOON)
    line = eventually(lambda: secured.bridge.logs("connection refused, its key is not on the list of producers"), "a log line")[0]
    assert line["key"] == unlisted.public and line["address"] == "127.0.0.1"
    assert secured.bridge.status()["curve"]["refused"] >= 1


def test_nothing_of_an_unlisted_producer_arrives(secured, tmp_path, closing, connect, produce):
    client = connect(secured.bridge)
    unlisted = stranger(tmp_path)
    outside = closing(CurvePublisher(secured.bridge.events_addr, unlisted, secured.keys.public, wait=False))
    control = closing(CurveControl(secured.bridge.control_addr, "stranger", unlisted, secured.keys.public))
    control.hello()
    outside.event({"type": "intruder"})
    produce(secured).event({"type": "fence"})
    assert client.data()["type"] == "fence"
    assert [one["id"] for one in secured.bridge.status()["producers"]] == ["worker-1"]


def test_a_key_that_is_listed_later_is_let_in_without_a_restart_of_either_side(secured, tmp_path, closing, connect):
    client = connect(secured.bridge)
    late = stranger(tmp_path)
    publisher = closing(CurvePublisher(secured.bridge.events_addr, late, secured.keys.public, wait=False))
    secured.bridge.wait_status(lambda status: status["curve"]["refused"] > 0, "the refusal")
    secured.listed.allow(secured.worker, late)
    publisher.wait_subscribed()
    publisher.event({"type": "hello"})
    assert client.data()["type"] == "hello"


# --- a key that is taken off the list -------------------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["change", "sighup"])
def test_a_removed_key_stops_at_once_on_an_open_connection(secured, tmp_path, produce, connect, how):
    other = stranger(tmp_path)
    secured.listed.allow(secured.worker, other)
    secured.bridge.wait_status(lambda status: status["curve"]["listed"] == 2, "both keys")
    removed, stays = produce(secured), produce(secured, other, "other")
    client = connect(secured.bridge)
    removed.event({"type": "before"})
    assert client.data()["type"] == "before"
    secured.listed.allow(other)
    if how == "sighup":
        secured.bridge.process.send_signal(signal.SIGHUP)
    started = time.monotonic()
    while secured.bridge.status()["rejections"]["unlisted_key"] == 0:
        removed.control.beat(first=1, last=removed.seq)
        assert time.monotonic() - started < AT_ONCE, "control messages are still taken"
        time.sleep(0.02)
    before = secured.bridge.rejections()["unlisted_key"]
    removed.publisher.event({"type": "after"})
    removed.event({"type": "after"})
    rejected(secured, "unlisted_key", before + 2)
    stays.event({"type": "fence"})
    assert client.data()["type"] == "fence"


def test_a_broken_list_leaves_the_one_before_and_is_told_once(secured, produce):
    secured.listed.path.write_text("producers:\n  - {name: worker}\n")
    line = eventually(lambda: secured.bridge.logs("list of producers stays as it was"), "the error")[0]
    assert f"{secured.listed.path}:2:5: a producer needs a name and a key" in line["error"]
    assert ":2:5:" in secured.bridge.status()["curve"]["trouble"]
    produce(secured)
    time.sleep(SOON)
    assert len(secured.bridge.logs("list of producers stays as it was")) == 1
    secured.listed.allow(secured.worker)
    secured.bridge.wait_status(lambda status: "trouble" not in status["curve"], "the list mended")


# --- what a key allows ----------------------------------------------------------------------------------------------------

@pytest.fixture
def bound(secured, tmp_path):
    """A key for the ids `bound` and `bound-…` and the topics `progress.*` and `done`."""
    keys = Keys(tmp_path, "bound", "--id", "bound", "--id", "bound-*", "--topic", "progress.*", "--topic", "done")
    secured.listed.allow(secured.worker, keys)
    secured.bridge.wait_status(lambda status: status["curve"]["listed"] == 2, "both keys")
    return keys


def test_other_ids_than_its_own_are_refused(secured, bound, produce, closing, connect):
    watcher = connect(secured.bridge, topics="$sys.rejected,>", meta=1)
    victim = produce(secured, producer="worker-1")
    control = closing(CurveControl(secured.bridge.control_addr, "worker-1", bound, secured.keys.public, victim.epoch))
    control.send("bye", last=0)
    control.send("gone", **{"from": 1, "to": 5})
    control.hello()
    assert control.receive("refused")["reason"] == "forbidden"
    rejected(secured, "forbidden_id", 3)
    notice = watcher.until("$sys.rejected", reason="forbidden_id")["data"]
    assert notice["detail"] == "the key of bound: worker-1"
    intruder = closing(CurvePublisher(secured.bridge.events_addr, bound, secured.keys.public))
    intruder.sequenced("worker-1", victim.epoch, 1, {"type": "done", "who": "intruder"})
    rejected(secured, "forbidden_id", 4)
    victim.event({"type": "done", "who": "victim"})
    victim.control.wait_ack(1)
    assert watcher.until("done")["data"]["who"] == "victim"
    state, = secured.bridge.status()["producers"]
    assert (state["id"], state["state"], state["lost"]) == ("worker-1", "online", 0)
    assert eventually(lambda: [line for line in secured.bridge.logs("messages refused") if line["reason"] == "forbidden_id"], "log")


def test_a_replayed_event_of_another_id_is_refused_too(secured, bound, produce, closing):
    from harness.producer import encoded, stamp
    victim = produce(secured, producer="worker-1")
    control = closing(CurveControl(secured.bridge.control_addr, "bound", bound, secured.keys.public))
    control.raw(b"event", b"", b"worker-1", stamp(victim.epoch, 1), encoded({"type": "done"}))
    rejected(secured, "forbidden_id")


@pytest.mark.parametrize("producer", ["bound", "bound-7"])
def test_its_own_ids_and_topics_are_fine(secured, bound, produce, connect, producer):
    client = connect(secured.bridge)
    own = produce(secured, bound, producer)
    own.event({"type": "progress"}, topic="progress.7")
    own.event({"type": "done"})
    own.control.wait_ack(2)
    assert [client.data()["type"] for _ in range(2)] == ["progress", "done"]


def test_other_topics_are_refused(secured, bound, produce, connect):
    client = connect(secured.bridge, topics="$sys.rejected", meta=1)
    own = produce(secured, bound, "bound")
    for topic, kind in (("", "secret"), ("progress", "progress"), ("progress.7.8", "progress"), ("", "progress")):
        own.event({"type": kind}, topic=topic)
    own.publisher.event({"type": "secret"})
    own.publisher.event({"type": "secret"}, topic="secret.x")
    own.event({"type": "done"})
    own.control.wait_ack(5)                                                 # what is refused is not asked for again
    rejected(secured, "forbidden_topic", 6)
    notice = client.until("$sys.rejected", reason="forbidden_topic")["data"]
    assert notice["detail"] == "the key of bound: secret"


# --- starting -------------------------------------------------------------------------------------------------------------

def refusal(make_bridge, curve, **ingest):
    bridge = make_bridge({"ingest": {"curve": curve, **ingest}}).launch()
    code = bridge.exit_code()
    said, bridge.process = bridge.stderr(), None
    assert code == 2 and said.count("trestled: ") == 1, said
    return said


def test_what_is_wrong_with_the_files_is_said_at_the_start(make_bridge, tmp_path):
    keys = Keys(tmp_path, "bridge")
    listed = KeyList(tmp_path / "producers.yaml")
    curve = {"secret_key_file": str(keys.file), "producers_file": str(listed.path)}
    keys.file.chmod(0o660)
    assert f"(mode 0660): chmod 600 {keys.file}" in refusal(make_bridge, curve)
    keys.file.chmod(0o600)
    listed.path.chmod(0o666)
    assert f"(mode 0666): chmod o-w {listed.path}" in refusal(make_bridge, curve)
    listed.path.chmod(0o644)
    assert "public key only" in refusal(make_bridge, {**curve, "secret_key_file": f"{keys.file}.pub"})
    assert "none.key" in refusal(make_bridge, {**curve, "secret_key_file": str(tmp_path / "none.key")})
    assert "needs a producers_file" in refusal(make_bridge, {"secret_key_file": str(keys.file)})
    assert "trestle keygen" in refusal(make_bridge, {"producers_file": str(listed.path)})
    assert "server_keys" in refusal(make_bridge, curve, connect=["tcp://127.0.0.1:5558"])
    listed.path.write_text("producers: [{name: a, key: b}]")
    assert f"{listed.path}:1:28: key must be" in refusal(make_bridge, curve)


def test_other_machines_need_curve_or_the_word(make_bridge):
    bridge = make_bridge({"ingest": {"bind": [f"tcp://0.0.0.0:{free_port()}"]}}).launch()
    assert bridge.exit_code() == 2 and "ingest.curve" in bridge.stderr() and "trestle keygen" in bridge.stderr()
    bridge.process = None


def test_with_curve_any_address_is_fine(trestled, tmp_path, produce, connect):
    port = free_port()
    secured = Secured(trestled, tmp_path, {"bind": [f"tcp://0.0.0.0:{port}", f"ipc://{tmp_path}/events"]})
    secured.bridge.events_addr = f"tcp://127.0.0.1:{port}"
    client = connect(secured.bridge)
    produce(secured).event({"type": "hello"})
    assert client.data()["type"] == "hello"
    assert not is_let_in(zmq.PUB, f"ipc://{tmp_path}/events", timeout=SOON)


def test_a_bridge_that_dials_proves_itself_and_talks_to_that_key_only(trestled, tmp_path, closing, connect):
    source, other, address = Keys(tmp_path, "source"), Keys(tmp_path, "other"), f"tcp://127.0.0.1:{free_port()}"
    context = zmq.Context()
    closing(type("Destroys", (), {"close": lambda self: context.destroy(linger=0)})())
    publisher = context.socket(zmq.XPUB)
    publisher.curve_server, publisher.curve_secretkey = True, source.secret.encode()
    publisher.rcvtimeo = int(TIMEOUT * 1000)
    publisher.bind(address)
    keys, listed = Keys(tmp_path, "bridge"), KeyList(tmp_path / "producers.yaml")
    curve = {"secret_key_file": str(keys.file), "producers_file": str(listed.path)}
    mistaken = trestled({"ingest": {"connect": [address], "curve": {**curve, "server_keys": [other.public]}}})
    assert not publisher.poll(SOON * 1000)
    mistaken.stop()
    bridge = trestled({"ingest": {"connect": [address], "curve": {**curve, "server_keys": [source.public]}}})
    assert publisher.recv() == b"\x01"
    client = connect(bridge)
    publisher.send(b'{"type":"dialed"}')
    assert client.data()["type"] == "dialed"


# --- trestle keygen and trestle pub ---------------------------------------------------------------------------------------

def trestle(*words, **options):
    return subprocess.run([TRESTLE, *map(str, words)], capture_output=True, text=True, env=bridge_environment({}), check=False,
                          timeout=20 * PATIENCE, **options)


def test_keygen_makes_private_files_and_overwrites_nothing(tmp_path):
    done = trestle("keygen", "worker.key", "--id", "w-*", "--topic", "a.>", cwd=tmp_path)
    assert done.returncode == 0
    assert stat.S_IMODE(os.stat(tmp_path / "worker.key").st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "worker.key.pub").st_mode) == 0o644
    text, public = (tmp_path / "worker.key").read_text(), (tmp_path / "worker.key.pub").read_text()
    assert "secret: " in text and "secret: " not in public
    secret = text.split("secret: ")[1].strip()
    assert secret not in done.stdout + done.stderr
    again = trestle("keygen", "worker.key", cwd=tmp_path)
    assert again.returncode == 2 and "--force" in again.stderr and (tmp_path / "worker.key").read_text() == text
    assert trestle("keygen", "worker.key", "--force", cwd=tmp_path).returncode == 0
    assert (tmp_path / "worker.key").read_text() != text
    assert trestle("keygen", "x.key", "--topic", "a..b", cwd=tmp_path).returncode == 2
    assert not (tmp_path / "x.key").exists()


def test_pub_publishes_with_its_key(secured, connect):
    client = connect(secured.bridge)
    bridge = ("--events", secured.bridge.events_addr, "--control", secured.bridge.control_addr, "--timeout", f"{int(10 * PATIENCE)}s")
    curve = ("--curve-key", secured.worker.file, "--curve-server")
    for server in (secured.keys.public, f"{secured.keys.file}.pub"):
        for more in ((), ("--no-ack",)):
            done = trestle("pub", *bridge, *curve, server, *more, '{"type":"hello"}')
            assert done.returncode == 0, done.stderr
            assert client.data()["type"] == "hello"
    for mode, code in ((0o640, 0), (0o644, 2), (0o660, 2)):                 # by the library and by the command line's own way
        secured.worker.file.chmod(mode)
        for more in ((), ("--no-ack",)):
            done = trestle("pub", *bridge, *curve, secured.keys.public, *more, '{"type":"hello"}')
            assert done.returncode == code and (code == 0 or "is a secret that others can " in done.stderr), done.stderr
    secured.worker.file.chmod(0o600)
    assert trestle("pub", *bridge, *curve[:2], '{"type":"x"}').returncode == 2
    wrong = trestle("pub", *bridge, *curve, "no-key", '{"type":"x"}')
    assert wrong.returncode == 2 and "--curve-server" in wrong.stderr


def test_pub_is_told_that_its_key_does_not_allow_the_id(secured, bound):
    done = trestle("pub", "--events", secured.bridge.events_addr, "--control", secured.bridge.control_addr, "--curve-key", bound.file,
                   "--curve-server", f"{secured.keys.file}.pub", "--id", "worker-1", '{"type":"done"}')
    assert done.returncode == 4 and "forbidden" in done.stderr and "does not allow this id" in done.stderr


# --- trestle bus ----------------------------------------------------------------------------------------------------------

class Bus:
    """`trestle bus` with CURVE, and a bridge behind it."""

    def __init__(self, trestled, folder):
        self.keys, bridge, self.worker = Keys(folder, "bus"), Keys(folder, "bridge"), Keys(folder, "worker")
        self.bound = Keys(folder, "bound", "--id", "bound", "--topic", "progress.*", "--topic", "done", "--topic", "done.*")
        self.listed = KeyList(folder / "producers.yaml", self.worker, self.bound)
        self.own_bridge = bridge
        self.bridges = bridges = KeyList(folder / "bridges.yaml", bridge)
        self.front, self.back = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
        self.errors = folder / "bus.err"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen([TRESTLE, "bus", "--front", self.front, "--back", self.back, "--curve-key", self.keys.file,
                                             "--curve-producers", self.listed.path, "--curve-bridges", bridges.path],
                                            env=bridge_environment({}), stderr=errors)
        self.bridge = trestled({"ingest": {"connect": [self.back], "curve": {
            "secret_key_file": str(bridge.file), "producers_file": str(self.listed.path), "server_keys": [self.keys.public]}}})

    def said(self):
        return self.errors.read_text()

    def refused_so_far(self):
        self.process.send_signal(signal.SIGUSR1)
        return max([int(count) for count in re.findall(r"(\d+) messages and", self.said())], default=0)

    def publisher(self, keys, wait=True):
        return CurvePublisher(self.front, keys, self.keys.public, wait)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        assert self.process.wait(10 * PATIENCE) == 0, self.said()


@pytest.fixture
def bus(trestled, tmp_path, closing):
    return closing(Bus(trestled, tmp_path))


def test_a_bus_lets_listed_producers_through_and_nobody_else(bus, tmp_path, closing, connect):
    client = connect(bus.bridge)
    closing(bus.publisher(bus.worker)).event({"type": "hello"})
    assert client.data()["type"] == "hello"
    unlisted = Keys(tmp_path, "stranger")
    for kind, address in ((zmq.PUB, bus.front), (zmq.SUB, bus.back)):
        assert not is_let_in(kind, address, timeout=SOON)
        assert not is_let_in(kind, address, lambda socket: prove(socket, unlisted, bus.keys.public), timeout=SOON)
    eventually(lambda: "connection refused, its key is not on the list" in bus.said() and unlisted.public in bus.said(), "who")
    # Who may publish may not listen.
    assert not is_let_in(zmq.SUB, bus.back, lambda socket: prove(socket, bus.worker, bus.keys.public), timeout=SOON)


def test_a_removed_key_stops_at_the_bus_at_once(bus, closing, connect):
    client = connect(bus.bridge)
    removed, stays = closing(bus.publisher(bus.worker)), closing(bus.publisher(bus.bound))
    removed.event({"type": "before"})
    assert client.data()["type"] == "before"
    bus.listed.allow(bus.bound)
    started = time.monotonic()
    while "unlisted_key" not in bus.said():
        removed.event({"type": "after"})
        assert time.monotonic() - started < AT_ONCE + 1, "the bus still passes its events on"
        time.sleep(0.02)
    stays.event({"type": "done"})
    client.until("done")                                                    # what had passed before is through
    before = eventually(bus.refused_so_far, "a count")
    for _ in range(5):
        removed.event({"type": "after"})
    eventually(lambda: bus.refused_so_far() >= before + 5, "the refusals")
    stays.event({"type": "done"})
    assert client.data()["type"] == "done"


def test_a_bridge_taken_off_the_list_gets_no_more_events(bus, tmp_path, closing, connect):
    other = Keys(tmp_path, "other")
    bus.bridges.allow(bus.own_bridge, other)
    context = zmq.Context()
    closing(type("Destroys", (), {"close": lambda self: context.destroy(linger=0)})())
    removed = context.socket(zmq.SUB)
    removed.subscribe(b"")
    prove(removed, other, bus.keys.public)
    removed.connect(bus.back)
    client, publisher = connect(bus.bridge), closing(bus.publisher(bus.worker))

    def reaches(socket):
        publisher.event({"type": "tick"})
        return socket.poll(20) and socket.recv_multipart()

    eventually(lambda: reaches(removed), "an event at the other bridge")
    bus.bridges.allow(bus.own_bridge)
    taken_off = time.monotonic()
    eventually(lambda: "taken off the list of bridges" in bus.said(), "the bus noticing")
    assert time.monotonic() - taken_off < AT_ONCE + 1
    while removed.poll(SOON * 1000):                                        # what was on its way
        removed.recv_multipart()
    publisher.event({"type": "secret"})
    eventually(lambda: publisher.event({"type": "after"}) or [data for data in drained(client) if data["type"] == "after"], "who is listed")
    assert not removed.poll(SOON * 1000), "it still listens"
    bus.bridges.allow(bus.own_bridge, other)
    eventually(lambda: reaches(removed), "it is listed again")
    bus.bridges.allow(bus.own_bridge)
    eventually(lambda: bus.said().count("taken off the list of bridges") == 2, "the bus noticing again")
    eventually(lambda: publisher.event({"type": "end"}) or [data for data in drained(client) if data["type"] == "end"], "who is listed")


def drained(client):
    """The data of what has come, and of one more within a moment."""
    seen = []
    with contextlib.suppress(AssertionError):
        while True:
            seen.append(client.data(timeout=0.05))
    return seen


def test_a_bus_knows_what_a_key_allows(bus, closing, connect):
    client = connect(bus.bridge)
    publisher = closing(bus.publisher(bus.bound))
    publisher.sequenced("worker", 1, 1, {"type": "done"})
    publisher.event({"type": "secret"})
    publisher.event({"type": "secret"}, topic="secret")
    publisher.event({"type": "progress"})                                   # a bridge might make any topic of it
    publisher.event({"type": "secret"}, topic="progress.1")                 # a lie about the type: the bridge's business
    publisher.event({"type": "progress"}, topic="progress.1")
    publisher.event({"type": "done"})
    assert [client.data()["type"] for _ in range(2)] == ["progress", "done"]
    assert bus.bridge.rejections()["topic_mismatch"] == 1
    eventually(lambda: "forbidden_id (the key of bound: worker)" in bus.said() and "forbidden_topic" in bus.said(), "both reasons")


def test_trestle_pub_through_a_bus(bus, connect):
    client = connect(bus.bridge)
    done = trestle("pub", "--events", bus.front, "--control", bus.bridge.control_addr, "--curve-key", bus.worker.file, "--curve-server",
                   bus.bridge.folder.parent / "bridge.key.pub", "--curve-bus", f"{bus.keys.file}.pub",
                   "--timeout", f"{int(10 * PATIENCE)}s", '{"type":"hello"}')
    assert done.returncode == 0, done.stderr
    assert client.data()["type"] == "hello"


def test_a_bus_needs_all_of_its_files():
    done = trestle("bus", "--curve-key", "bus.key")
    assert done.returncode == 2 and "--curve-producers" in done.stderr and "--curve-bridges" in done.stderr
