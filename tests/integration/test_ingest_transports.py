"""Where producers can publish: tcp and ipc, several at once, sockets that the bridge dials, and a bus in the middle."""
import contextlib
import os
import pathlib
import signal
import stat
import subprocess
import time
import types

import pytest

from harness.bridge import bridge_environment
from harness.follow import Follower
from harness.netns import Namespace
from harness.producer import Publisher
from harness.source import PATIENT, PROGRAMS, PubSource
from harness.wait import TIMEOUT, eventually, free_port, share_of
from test_start_errors import refused

JOURNAL = {"stream": {"path": "trestle.db"}}
LONGEST_PATH = 107  # bytes, of an ipc path
DIAL_PAUSE = 5  # seconds, the longest between two attempts of ingest.connect


@pytest.fixture
def follow(closing):
    return lambda bridge, topics="seq": closing(Follower(bridge, topics))


@pytest.fixture
def pub(closing):
    """pub("name", events=address, control=address): `trestle pub`."""
    def make(name, events, control):
        return closing(PubSource(types.SimpleNamespace(events_addr=events, control_addr=control), name))
    return make


def everything_once(follower, sources):
    for source in sources:
        source.finish()
        eventually(lambda: follower.errors or follower.count(source.name) >= source.fed, f"every event of {source.name}",
                   timeout=PATIENT)
        assert follower.seen[source.name] == list(range(source.fed))
    assert (follower.errors, follower.gaps) == ([], [])


# --- binding ---------------------------------------------------------------------------------------------------------------

@pytest.fixture
def ipc(tmp_path):
    """ipc("name"): an address in a folder of the test's own."""
    return lambda name: f"ipc://{tmp_path}/{name}"


def mode(address):
    return stat.S_IMODE(os.stat(address.removeprefix("ipc://")).st_mode)


def test_ipc_is_for_the_group_and_outlives_kill_9_of_the_bridge(trestled, follow, pub, ipc):
    events, control = ipc("events"), ipc("control")
    bridge = trestled({**JOURNAL, "ingest": {"bind": [events], "control": control}})
    follower, source = follow(bridge), pub("worker", events, control)
    for _ in range(3):
        assert (mode(events), mode(control)) == (0o660, 0o660)
        source.feed(share_of(2_000), 0.5)
        time.sleep(0.3)
        bridge.kill9()
        assert stat.S_ISSOCK(os.stat(events.removeprefix("ipc://")).st_mode), "what it left must not be in the way"
        bridge.restart()
    everything_once(follower, [source])


def test_several_binds_and_a_dialed_socket_at_once(trestled, follow, pub, ipc, closing):
    tcp, other, path, dialed = (f"tcp://127.0.0.1:{free_port()}", f"tcp://[::1]:{free_port()}", ipc("events"),
                                ipc("a-publisher-that-binds"))
    bridge = trestled({"ingest": {"bind": [tcp, other, path], "connect": [dialed]}})
    follower = follow(bridge, "seq,plain")
    sources = [pub(name, address, bridge.control_addr) for name, address in (("on-tcp", tcp), ("on-ip6", other), ("on-ipc", path))]
    binding = closing(Publisher(bind=dialed))
    for source in sources:
        source.feed(500, 0.2)
    for number in range(500):
        binding.event({"type": "plain", "p": "binding", "n": number})
    everything_once(follower, sources)
    eventually(lambda: follower.count("binding") == 500, "the plain events")


def test_a_name_in_no_folder_leaves_no_file(trestled, follow, pub):
    events = f"ipc://@trestle-test-{os.getpid()}"
    bridge = trestled({"ingest": {"bind": [events], "insecure": True}})
    source = pub("worker", events, bridge.control_addr)
    source.feed(10, 0)
    everything_once(follow(bridge), [source])
    assert not [path.name for path in bridge.folder.iterdir() if "@" in path.name or path.suffix == ".lock"]


def test_a_name_in_no_folder_has_to_be_meant(make_bridge, closing):
    name = f"ipc://@trestle-test-{os.getpid()}"
    for config in ({"bind": [name]}, {"connect": [name]}, {"control": name}):
        refused(make_bridge({"ingest": config}), f"ingest.{next(iter(config))}: ", name, "no mode", "ipc:///run/", "CURVE",
                "ingest.insecure: true")
    free = f"tcp://127.0.0.1:{free_port()}"
    for front, back in ((name, free), (free, name)):
        said = bus_refusal(front, back)
        assert "no mode" in said and "--insecure" in said and "ipc:///run/" in said, said
    closing(Bus(name, free, "--insecure"))


# --- what a user is told ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("address, mentions", [
    ("udp://127.0.0.1:5556", ["tcp://127.0.0.1:5556", "ipc:///"]),
    ("127.0.0.1:5556", ["tcp://127.0.0.1:5556"]),
    ("tcp://127.0.0.1", ["port"]),
    ("tcp://:5556", ["host"]),
    ("ipc://events", ["absolute path"]),
    ("ipc:///" + "x" * LONGEST_PATH, ["107 bytes"]),
    ("ipc:///no/such/folder/events", ["no folder /no/such/folder", "create it"]),
    ("tcp://192.0.2.1:5556", ["does not have that address", "0.0.0.0"]),
    ("tcp://no-such-interface:5556", ["no address or network interface"]),
])
@pytest.mark.parametrize("key", ["bind", "control"])
def test_an_address_that_cannot_be_bound(make_bridge, key, address, mentions):
    refused(make_bridge({"ingest": {key: [address] if key == "bind" else address, "insecure": True}}), address[:60], *mentions)


@pytest.mark.parametrize("address, mentions", [("tcp://*:5556", ["host"]), ("tcp://127.0.0.1:0", ["port"]), ("ipc://x", ["absolute"])])
def test_an_address_that_cannot_be_dialed(make_bridge, address, mentions):
    refused(make_bridge({"ingest": {"connect": [address]}}), address, *mentions)


def test_a_file_that_is_no_socket_is_left_alone(make_bridge, ipc, tmp_path):
    (tmp_path / "notes").write_text("mine")
    refused(make_bridge({"ingest": {"bind": [ipc("notes")]}}), "no socket", "another path")
    assert (tmp_path / "notes").read_text() == "mine"


def test_the_longest_path_works(trestled, publisher, connect, tmp_path):
    folder = pathlib.Path("/tmp") / f"trestle-test-{os.getpid()}"
    folder.mkdir()
    try:
        path = f"{folder}/".ljust(LONGEST_PATH, "x")
        bridge = trestled({"ingest": {"bind": [f"ipc://{path}"]}})
        bridge.events_addr = f"ipc://{path}"
        client = connect(bridge)
        publisher(bridge).event({"type": "hello"})
        assert client.data()["type"] == "hello"
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


# --- dialing ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_a_dialed_publisher_may_come_late_and_come_back(trestled, connect, ipc, transport):
    address = f"tcp://127.0.0.1:{free_port()}" if transport == "tcp" else ipc("publisher")
    bridge = trestled({"ingest": {"bind": [], "control": "", "connect": [address]}})
    client = connect(bridge)
    for life in range(3):
        publisher = Publisher(bind=address)                         # which waits until the bridge has subscribed
        with contextlib.closing(publisher):
            for number in range(100):
                publisher.event({"type": "seq", "life": life, "n": number})
            for number in range(100):
                data = client.data()
                assert (data["life"], data["n"]) == (life, number)


def test_dialing_pauses_longer_and_longer_but_never_for_long(trestled, closing):
    """Nobody is there for a while: the bridge neither hammers the port nor gives up."""
    machine, port = closing(Namespace()), free_port()
    with machine.entered():
        trestled({"ingest": {"bind": [], "control": "", "connect": [f"tcp://127.0.0.1:{port}"]}})
        time.sleep(4)
        refusals = int(machine.run("nstat", "-asz", "TcpAttemptFails").split()[-2])
        begun = time.monotonic()
        closing(Publisher(bind=f"tcp://127.0.0.1:{port}"))          # which waits until the bridge has subscribed
    assert 3 <= refusals <= 12                                      # 40 without longer and longer pauses
    assert time.monotonic() - begun < DIAL_PAUSE + TIMEOUT / 4


# --- the bus ----------------------------------------------------------------------------------------------------------------

class Bus:
    """`trestle bus`."""

    def __init__(self, front, back, *options):
        self.front, self.back, self.options = front, back, options
        self.start()

    def start(self):
        self.process = subprocess.Popen([PROGRAMS / "trestle", "bus", "--front", self.front, "--back", self.back,
                                         *self.options],
                                        stderr=subprocess.PIPE, text=True, env=bridge_environment({}))
        first = self.process.stderr.readline()
        assert "producers at" in first, first

    def kill9(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def close(self):
        if self.process.poll() is None:
            self.kill9()


def test_kill_9_of_the_bus_loses_and_doubles_nothing(trestled, follow, pub, ipc, closing):
    """What was in it is gone; but the control socket does not pass through it, so the bridge learns of it and asks again."""
    bus = closing(Bus(ipc("front"), f"tcp://127.0.0.1:{free_port()}"))
    bridge = trestled({**JOURNAL, "ingest": {"bind": [], "connect": [bus.back]}})
    follower = follow(bridge)
    sources = [pub(name, bus.front, bridge.control_addr) for name in ("a", "b")]
    for _ in range(share_of(5)):
        for source in sources:
            source.feed(share_of(2_000), 1)
        eventually(lambda: all(follower.count(source.name) for source in sources), "the first events", timeout=PATIENT)
        time.sleep(0.3)
        bus.process.send_signal(signal.SIGSTOP)                     # so that something is in it when it dies
        time.sleep(0.2)
        bus.kill9()
        assert mode(bus.front) == 0o660
        bus.start()
    everything_once(follower, sources)
    producers = {entry["id"]: entry for entry in bridge.status()["producers"]}
    assert {name: producers[name]["events"] for name in ("a", "b")} == {source.name: source.fed for source in sources}


def bus_refusal(front, back):
    done = subprocess.run([PROGRAMS / "trestle", "bus", "--front", front, "--back", back], capture_output=True, text=True,
                          timeout=TIMEOUT, check=False, env=bridge_environment({}))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done
    return done.stderr


def test_a_bus_takes_no_address_from_anybody(trestled, publisher, connect, ipc, closing):
    bus = closing(Bus(ipc("front"), ipc("back")))
    bridge = trestled({"ingest": {"bind": [ipc("events")]}})
    free = f"tcp://127.0.0.1:{free_port()}"
    assert "in use" in bus_refusal(bus.front, free)
    assert "in use" in bus_refusal(free, bridge.control_addr)
    assert "in use" in bus_refusal(ipc("events"), free)
    assert "create it" in bus_refusal(ipc("nowhere/front"), free)
    bridge.events_addr = ipc("events")
    client = connect(bridge)
    publisher(bridge).event({"type": "hello"})
    assert client.data()["type"] == "hello"


def test_a_bridge_takes_no_path_from_a_bus(make_bridge, ipc, closing):
    bus = closing(Bus(ipc("front"), ipc("back")))
    refused(make_bridge({"ingest": {"bind": [bus.front]}}), bus.front, "trestle bus")
