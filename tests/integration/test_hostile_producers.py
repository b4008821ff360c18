"""Producers that mean harm, on loopback: bounded, counted, and nobody else is disturbed."""
import json
import random
import time

import pytest
import zmq

from harness.innocent import Innocent, memory_kb
from harness.producer import Publisher, stamp
from harness.wait import PATIENCE, TIMEOUT, eventually

SEED = 20261122
SCALE = 1 if PATIENCE == 1 else 4                                   # sanitizer runs do this part of the work
MEMORY_BOUND_KB = 200_000 * (1 if PATIENCE == 1 else 5)             # growth; sanitizers keep what is freed
DISK_BOUND = 64 * 1024 * 1024


def disk_bytes(bridge):
    return sum(path.stat().st_size for path in bridge.folder.glob("trestle.db*"))


class Hostile:
    """Both sockets, with nothing in between."""

    def __init__(self, bridge):
        self.events = Publisher(bridge.events_addr)
        self.context = zmq.Context()
        self.control = self.context.socket(zmq.DEALER)
        self.control.setsockopt(zmq.LINGER, 0)
        self.control.setsockopt(zmq.SNDHWM, 0)
        self.control.connect(bridge.control_addr)
        self.sent = 0

    def say(self, kind, producer="hostile", epoch=7, **members):
        self.raw(json.dumps({"type": kind, "v": 1, "producer": producer, "epoch": epoch, **members}).encode())

    def raw(self, *frames):
        self.sent += 1
        self.control.send_multipart(frames)

    def hello(self, producer="hostile", epoch=7, first=1, last=0, acked=0):
        self.say("hello", producer, epoch, first=first, last=last, acked=acked)

    def settle(self, bridge):
        """Until all that was sent has been looked at: the last of it is a mark that is counted."""
        before = bridge.rejections()["bad_control"]
        self.raw(b"the last of it")
        eventually(lambda: bridge.rejections()["bad_control"] > before, "everything read", 4 * TIMEOUT)

    def close(self):
        self.events.close()
        self.context.destroy(linger=0)


@pytest.fixture
def scene(trestled, connect, closing):
    """(bridge, hostile); afterwards memory and disk are bounded, and the innocent had every event on time."""
    bridge = trestled({"stream": {"path": "trestle.db"}})
    innocent = Innocent(bridge, connect)
    before = memory_kb(bridge)
    hostile = closing(Hostile(bridge))
    yield bridge, hostile
    hostile.settle(bridge)
    grown = memory_kb(bridge) - before
    innocent.check()
    print(f"{grown} KiB more than before, {disk_bytes(bridge)} bytes of journal, "
          f"slowest of {len(innocent.took)}: {max(took for _, took in innocent.took):.3f} s")
    assert grown < MEMORY_BOUND_KB, f"{grown} KiB more than before"
    assert disk_bytes(bridge) < DISK_BOUND
    entry = next((p for p in bridge.status()["producers"] if p["id"] == "innocent"), None)
    assert entry is None or entry["lost"] == 0                      # the list shows the first thousand


def refused(bridge):
    return sum(bridge.rejections().values())


def test_random_frames_on_both_sockets(scene):
    bridge, hostile = scene
    chance = random.Random(SEED)
    before, count = refused(bridge), 5_000 // SCALE
    for _ in range(count):
        frames = [chance.randbytes(chance.choice((0, 1, 24, 100))) for _ in range(chance.randint(1, 12))]
        hostile.events.frames(*frames)
        hostile.raw(*frames)
    eventually(lambda: refused(bridge) - before >= 2 * count, "every one counted", 4 * TIMEOUT)


def test_absurd_ranges_and_stamps(scene):
    bridge, hostile = scene
    hostile.hello("known", epoch=7)
    before = bridge.rejections()
    absurd = (-1, 2**53, 2**64 - 1, 2**64, 1.5, "1", None)
    for value in absurd:
        hostile.hello("known", last=value)
        hostile.hello("known", epoch=value)
        hostile.say("beat", "known", first=value, last=value)
        hostile.say("gone", "known", **{"from": value, "to": value})
        hostile.say("bye", "other", last=value)
    hostile.say("gone", "known", **{"from": 9, "to": 3})
    hostile.say("beat", "known", first=9, last=3)
    bad_control = 5 * len(absurd) + 2
    for first, last in ((1, 10_000_002), (20_000_000, 30_000_000), (2**53 - 1, 2**53 - 2)):
        hostile.say("beat", "known", first=first, last=last)
        hostile.hello("unknown", first=first, last=last)
    hostile.settle(bridge)
    for epoch, seq in ((7, 2**64 - 1), (7, 0), (2**64 - 1, 1), (0, 1), (7, 2**53)):
        hostile.events.frames(b"", b"known", stamp(epoch, seq), b'{"type":"x"}')
    hostile.events.frames(b"", b"known", stamp(7, 2**53 - 1), b'{"type":"x"}')
    eventually(lambda: bridge.rejections()["bad_stamp"] - before["bad_stamp"] == 5, "bad stamps counted")
    now = bridge.rejections()
    assert now["bad_control"] - before["bad_control"] == bad_control + 1
    eventually(lambda: bridge.rejections()["seq_range"] - before["seq_range"] == 7, "absurd ranges counted")
    assert bridge.status()["counters"]["lost"] == 0


def test_control_messages_of_very_many_members(scene):
    """Each compared with each of the others, one of these took minutes, and everybody waited."""
    bridge, hostile = scene
    members = ",".join(f'"m{number}":1' for number in range(150_000))
    before = bridge.rejections()["bad_control"]
    hostile.raw(f"{{{members}}}".encode())
    hostile.raw(f'{{{members},"m7":1}}'.encode())
    eventually(lambda: bridge.rejections()["bad_control"] - before == 2, "both refused")


def test_ten_thousand_ids_with_hellos_and_as_many_with_events_only(scene):
    bridge, hostile = scene
    count = 10_500 // SCALE
    pad = "x" * 2_000
    for number in range(count):
        hostile.hello(f"id-{number}")
        hostile.events.frames(b"", f"id-{number}".encode(), stamp(7, 2), json.dumps({"type": "x", "pad": pad}).encode())
        hostile.events.frames(b"", f"nobody-{number}".encode(), stamp(7, 1), b'{"type":"x"}')
    eventually(lambda: bridge.rejections()["unknown_producer"] >= count * 9 // 10, "strangers counted", 4 * TIMEOUT)
    hostile.settle(bridge)
    assert bridge.status()["producers_total"] <= 10_000
    if SCALE == 1:
        assert bridge.rejections()["hello_refused"] >= 400


def test_answers_nobody_asked_for_endless_epochs_and_a_flood_of_hellos(scene):
    bridge, hostile = scene
    count = 4_000 // SCALE
    hostile.hello()
    for number in range(count):
        hostile.raw(b"event", b"", b"hostile", stamp(7, 1), b'{"type":"x"}')
        hostile.say("gone", **{"from": 1, "to": 9_000_000})
        hostile.say("gone", "stranger", **{"from": 1, "to": 5})
        hostile.say("bye", "mayfly", epoch=number + 1, last=0)
        hostile.hello("mayfly", epoch=number + 1)
        hostile.say("bye", "mayfly", epoch=number + 1, last=0)
        hostile.hello()
        hostile.hello(epoch=number + 10)
    hostile.settle(bridge)
    rejections = bridge.rejections()
    assert rejections["seq_backwards"] == count - 1
    assert rejections["hello_refused"] == count
    assert rejections["unknown_producer"] >= 2 * count
    assert bridge.status()["counters"]["lost"] == 0


def test_types_that_are_never_the_same(scene):
    bridge, hostile = scene
    count = 1_000 // SCALE
    for number in range(count):
        hostile.events.event({"type": f"{number}-" + "x" * 400_000})
        if number % 20 == 0:
            time.sleep(0.02)                                        # ZeroMQ drops what waits beyond its own bound
    eventually(lambda: bridge.rejections()["bad_topic"] == count, "every one refused", 4 * TIMEOUT)


def test_multipart_messages_that_never_end(scene):
    bridge, hostile = scene
    before = refused(bridge)
    for number in range(50):
        context = zmq.Context()
        for kind, address in ((zmq.PUB, bridge.events_addr), (zmq.DEALER, bridge.control_addr)):
            half = context.socket(kind)
            half.setsockopt(zmq.LINGER, 0)
            half.connect(address)
            half.send(b"x" * 1_000, zmq.SNDMORE)
        context.destroy(linger=0)
    hostile.settle(bridge)
    assert refused(bridge) == before + 1                            # nothing but the mark
