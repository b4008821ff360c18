"""Bad networks: producers, bridge and clients on machines of their own (network namespaces), with lines between them that
delay, lose and break. Every event reaches every client exactly once, in its producer's order, without a gap."""
import json
import subprocess
import time
import types

import pytest

from harness.bridge import bridge_environment
from harness.netns import Network
from harness.producer import Publisher
from harness.source import PROGRAMS, PubSource
from harness.wait import PATIENCE, eventually, share_of

EVENTS_PORT, CONTROL_PORT, WS_PORT = 5556, 5557, 3001
PARTITION = 10  # seconds
HEARTBEAT = 1  # seconds
RECOVERY = 60 * PATIENCE  # for what was held up, over a line that is bad still
OPEN_TO_ALL = {
    "listen": {"address": "0.0.0.0", "port": WS_PORT},
    "ingest": {"bind": [f"tcp://0.0.0.0:{EVENTS_PORT}"], "control": f"tcp://0.0.0.0:{CONTROL_PORT}", "insecure": True},
    "stream": {"path": "trestle.db"},
    "heartbeat": {"interval": f"{HEARTBEAT}s", "timeout": "1s"},
    "session": {"queue": "64MiB"},
}


class Tail:
    """`trestle tail --meta`: a client that finds out by itself that its connection is dead, and comes back with its cursor."""

    def __init__(self, network, name, bridge):
        self.out, self._err = bridge.folder / f"{name}.out", bridge.folder / f"{name}.err"
        command = [str(PROGRAMS / "trestle"), "tail", "--meta", "--since", "0", "--url", f"ws://{network.hub_address[name]}:{WS_PORT}/",
                   "seq", "seq.*"]
        with network.machines[name].entered(), open(self.out, "wb") as out, open(self._err, "wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL,
                                            env=bridge_environment({"TRESTLE_TOKEN": bridge.token}))

    def numbers(self, producer):
        """Of that producer's events, in the order of their arrival."""
        whole_lines = self.out.read_text().rpartition("\n")[0].splitlines()
        events = [json.loads(line)["data"] for line in whole_lines]
        return [event["n"] for event in events if event["p"] == producer]

    def said(self):
        return self._err.read_text()

    def close(self):
        self.process.terminate()
        self.process.wait(10)


class World:
    """The bridge in the middle of its network."""

    def __init__(self, network, bridge, closing):
        self._closing = closing
        self.network, self.bridge = network, bridge

    def events_addr(self, name):
        return f"tcp://{self.network.hub_address[name]}:{EVENTS_PORT}"

    def source(self, name):
        """`trestle pub` on the machine of that name."""
        control = f"tcp://{self.network.hub_address[name]}:{CONTROL_PORT}"
        with self.network.machines[name].entered():
            return self._closing(PubSource(types.SimpleNamespace(events_addr=self.events_addr(name), control_addr=control), name))

    def plain_publisher(self, name):
        """One without heartbeats of its own."""
        with self.network.machines[name].entered():
            return self._closing(Publisher(self.events_addr(name)))

    def tail(self, name):
        return self._closing(Tail(self.network, name, self.bridge))

    def status(self):
        with self.network.hub.entered():
            return self.bridge.status()

    def state_of(self, producer):
        return {entry["id"]: entry["state"] for entry in self.status()["producers"]}.get(producer)


@pytest.fixture
def world(make_bridge, closing):
    """world("name", …): a machine for each name, all on good lines."""
    def make(*names):
        network = closing(Network(*names))
        bridge = make_bridge(OPEN_TO_ALL)
        with network.hub.entered():
            bridge.start()
        return World(network, bridge, closing)
    return make


def all_once(tails, counts):
    """Waits until every client has what every producer sent, {producer: count}; then each has it once and in order."""
    for tail in tails:
        for producer, count in counts.items():
            eventually(lambda: len(tail.numbers(producer)) >= count, f"all {count} of {producer}", timeout=RECOVERY, every=0.2)
            assert tail.numbers(producer) == list(range(count))
        assert "gap" not in tail.said(), tail.said()


def test_delay_and_loss_on_both_sides(world):
    """100 ± 50 ms and 5 % each way: packets overtake each other, and TCP has its hands full."""
    world = world("producer", "client")
    for line in world.network.lines.values():
        line.spoil(delay=100, jitter=50, loss=0.05)
    count = share_of(1_000)
    tails = [world.tail("client") for _ in range(2)]
    source = world.source("producer")
    source.feed(count, seconds=7)
    all_once(tails, {"producer": count})
    source.finish()
    assert world.status()["producers"][0]["lost"] == 0
    assert world.network.retransmitted() > 0, "the lines were bad"


def start_cut_off(world, name):
    world.network.lines[name].cut()
    source = world.source(name)
    source.feed(10, seconds=0)
    source.begun = time.monotonic()
    return source


def outage_ends_soon(world, source):
    """TCP's own next attempt would come more than 10 s later, for it doubles the pauses between them."""
    time.sleep(max(0, source.begun + 2 * PARTITION - time.monotonic()))
    assert world.state_of(source.name) is None
    world.network.lines[source.name].heal()
    eventually(lambda: world.state_of(source.name) == "online", "the producer that was late", timeout=8)
    source.finish()


def test_a_partition_of_10_s_while_publishing(world):
    """One of two producers and one of two clients are cut off, so each pair of them is seen: cut here, there, on both sides
    and not at all. A third producer can't reach the bridge for the whole time."""
    world = world("p-cut", "p-fine", "c-cut", "c-fine", "p-late")
    late = start_cut_off(world, "p-late")
    lines, machines, hub = world.network.lines, world.network.machines, world.network.hub
    count = share_of(4_500)
    tails = {name: world.tail(name) for name in ("c-cut", "c-fine")}
    plain = world.plain_publisher("p-cut")
    sources = [world.source(name) for name in ("p-cut", "p-fine")]
    for source in sources:
        source.feed(count, seconds=PARTITION + 7)
    for tail in tails.values():
        for source in sources:
            eventually(lambda: tail.numbers(source.name), "the first events of each")
    assert hub.connections(EVENTS_PORT) == 3
    time.sleep(3)                                                   # a heartbeat, which tells the plain publisher of the timeout

    lines["p-cut"].cut()
    lines["c-cut"].cut()
    begun = time.monotonic()
    eventually(lambda: world.state_of("p-cut") == "lost", "the producer's absence")
    eventually(lambda: len(world.status()["sessions"]) == 1, "the bridge letting go of the dead client")
    eventually(lambda: hub.connections(EVENTS_PORT) == 1, "the bridge letting go of the dead producers")
    eventually(lambda: hub.connections(CONTROL_PORT) == 1, "the same on its control socket")
    eventually(lambda: machines["p-cut"].connections(EVENTS_PORT) == 0, "the producers letting go of the bridge")
    seen = len(tails["c-fine"].numbers("p-fine"))
    time.sleep(max(0, begun + PARTITION - time.monotonic()))
    assert len(tails["c-fine"].numbers("p-fine")) > seen, "those who are not cut off go on"
    assert len(tails["c-cut"].numbers("p-fine")) < seen, "the cut is one"

    lines["p-cut"].heal()
    lines["c-cut"].heal()
    all_once(tails.values(), {source.name: count for source in sources})
    for source in sources:
        source.finish()
    assert "trying again" in tails["c-cut"].said()
    assert "trying again" not in tails["c-fine"].said(), tails["c-fine"].said()
    assert {entry["lost"] for entry in world.status()["producers"]} == {0}
    plain.wait_subscribed()                                         # once more
    outage_ends_soon(world, late)
