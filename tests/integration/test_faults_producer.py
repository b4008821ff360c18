"""Producers are killed, join late, or overrun ZeroMQ: what was acked is in the stream, the rest is there, named, or absent."""
import concurrent.futures
import contextlib
import signal
import subprocess
import time

import pytest

from harness.bridge import bridge_environment
from harness.follow import Follower
from harness.lossy import LossyProducer
from harness.source import PATIENT, PROGRAMS, LibrarySource
from harness.wait import PATIENCE, Dice, eventually, share_of

PAD = 2_000     # bytes: with so many events of so many bytes the kernel's buffers overflow, too
OVERRUN = 8_000


# A gap is told to those who are live then: a client that is slow here must not be closed and come back behind it.
PATIENT_QUEUE = {"session": {"queue": "64MiB"}}


@pytest.fixture
def bridge(trestled):
    return trestled(PATIENT_QUEUE)


@pytest.fixture
def follow(closing):
    def make(bridge, **options):
        follower = closing(Follower(bridge, **options))
        eventually(lambda: follower.is_live, "the client to be live")
        return follower
    return make


@contextlib.contextmanager
def stopped(bridge):
    bridge.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        bridge.process.send_signal(signal.SIGCONT)


# --- killed -----------------------------------------------------------------------------------------------------------


def live_and_die(bridge, name, life, dice):
    """One life of a producer, ended by kill -9 while it publishes. Returns (published at most, acked at least)."""
    source = LibrarySource(bridge, name, life)
    try:
        for _ in range(200):
            source.burst(50)
            source.flush()
        first = source.answer()                                     # the id is its own: its predecessor is given up
        assert first[0] == "published", first
        time.sleep(dice.uniform(0, 0.3))
        source.kill9()
        acked = [int(words[1]) for words in source.said() if words[0] == "acked"]
        return 200 * 50, max(acked, default=0)
    finally:
        source.close()


def live_and_end(bridge, name, life):
    source = LibrarySource(bridge, name, life)
    try:
        source.burst(500)
        source.flush()
        assert source.end()[-1] == ["acked", "500"]
        return 500, 500
    finally:
        source.close()


def all_lives(bridge, name, kills, dice):
    lives = [live_and_die(bridge, name, life, dice) for life in range(1, kills + 1)]
    return lives + [live_and_end(bridge, name, kills + 1)]


def check_lives(name, lives, seen, gaps):
    """Acked is there; in order and once; a hole within what came is named by a gap."""
    assert [life for life, _ in seen] == sorted(life for life, _ in seen), f"{name}: a former life came back"
    for life, (published, acked) in enumerate(lives, 1):
        numbers = [number for its_life, number in seen if its_life == life]
        last = max(numbers, default=0)
        named = {number for start, end in gaps for number in range(start, end + 1)}
        assert numbers == sorted(set(numbers)), f"{name}, life {life}: doubled or out of order"
        assert acked <= last <= published, f"{name}, life {life}: acked {acked}, got {last}"
        assert set(range(1, acked + 1)) <= set(numbers), f"{name}, life {life}: lost although acked"
        assert set(range(1, last + 1)) <= set(numbers) | named, f"{name}, life {life}: an unnamed hole"


def test_kill_9_of_producers_loses_nothing_acked_and_doubles_nothing(trestled, follow):
    """A killed producer's id is free after 5 s of silence, so many producers die side by side."""
    bridge, dice = trestled({"stream": {"path": "trestle.db"}, **PATIENT_QUEUE}), Dice()
    names, kills = [f"p{number}" for number in range(share_of(8, least=3))], share_of(3)
    follower = follow(bridge, value=lambda data: (data["life"], data["n"]))
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        lives = dict(zip(names, pool.map(lambda name: all_lives(bridge, name, kills, dice), names)))
    eventually(lambda: all((kills + 1, 500) in follower.seen.get(name, [])[-1:] for name in names) or follower.errors,
               "the last life's last event", timeout=PATIENT)
    assert follower.errors == []
    for name in names:
        gaps = [(gap["seq_from"], gap["seq_to"]) for gap in follower.gaps if gap["producer"] == name]
        check_lives(name, lives[name], follower.seen[name], gaps)
    assert sum(acked for its in lives.values() for _, acked in its[:-1]) > 0, f"nobody had anything acked ({dice.said})"


# --- slow joiners -----------------------------------------------------------------------------------------------------


def join_and_publish(bridge, name, count):
    lines = "".join(f'{{"type":"seq","p":"{name}","n":{n}}}\n' for n in range(count))
    done = subprocess.run([PROGRAMS / "trestle", "pub", "--id", name, "--events", bridge.events_addr, "--control",
                           bridge.control_addr, "--timeout", f"{int(PATIENT)}s"], input=lines.encode(), capture_output=True,
                          env=bridge_environment({}), timeout=PATIENT, check=False)
    return done.returncode, done.stderr


def test_100_slow_joiners_lose_nothing(bridge, follow):
    """Each connects, publishes at once and ends."""
    names, count = [f"joiner-{number}" for number in range(share_of(100))], 20
    follower = follow(bridge)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda name: join_and_publish(bridge, name, count), names))
    assert ends == [(0, b"")] * len(names)
    eventually(lambda: sum(map(len, follower.seen.values())) >= count * len(names) or follower.errors, "every event")
    assert (follower.errors, follower.gaps) == ([], [])
    assert follower.seen == {name: list(range(count)) for name in names}


# --- high-water marks -------------------------------------------------------------------------------------------------


def everything_but(count, holes):
    missing = {number for start, end in holes for number in range(start, end + 1)}
    return [number for number in range(1, count + 1) if number not in missing]


def wait_for_last(follower, name, number):
    eventually(lambda: follower.seen.get(name, [])[-1:] == [number] or follower.errors, f"event {number} of {name}",
               timeout=PATIENT)
    assert follower.errors == []


@pytest.fixture
def lossy(closing):
    return lambda bridge, **options: closing(LossyProducer(bridge, "lossy", **options))


def test_what_a_high_water_mark_dropped_is_repaired(bridge, lossy, follow):
    follower, producer = follow(bridge), lossy(bridge, hwm=100, buffer=OVERRUN)
    with stopped(bridge):
        producer.burst(OVERRUN, PAD)
    assert producer.repair() == []
    wait_for_last(follower, "lossy", OVERRUN)
    assert follower.seen["lossy"] == everything_but(OVERRUN, [])
    assert follower.gaps == []
    assert producer.asked, "ZeroMQ dropped nothing: this test shows nothing"


def test_an_overrun_past_the_buffer_is_one_gap_of_exactly_that_range(bridge, lossy, follow):
    follower, producer = follow(bridge), lossy(bridge, hwm=100, buffer=500)
    with stopped(bridge):
        producer.fill(PAD)
        arrives, last = producer.seq, producer.seq + OVERRUN
        producer.burst(OVERRUN, PAD)
        producer.tell()                                             # and the bridge may well read this first
    lost = producer.repair()
    wait_for_last(follower, "lossy", last)
    assert lost == [[arrives + 1, last - 500]]
    assert [(gap["reason"], gap["seq_from"], gap["seq_to"]) for gap in follower.gaps] == [("lost", arrives + 1, last - 500)]
    assert follower.seen["lossy"] == everything_but(last, lost)


def test_an_overrun_of_the_library_is_one_gap_for_each_hole(bridge, closing, follow):
    """The library overtakes itself in its own buffer, so there may be several holes, each of which is one gap."""
    follower = follow(bridge)
    source = closing(LibrarySource(bridge, "small", buffer=500, when_full="drop"))
    source.burst(1, PAD)
    source.flush()
    assert [source.answer()[0], source.answer()[0]] == ["published", "acked"]
    with stopped(bridge):
        source.burst(OVERRUN - 1, PAD)
        assert source.answer() == ["published", str(OVERRUN)]
    source.flush()
    acked = source.answer()
    wait_for_last(follower, "small", OVERRUN)
    assert follower.gaps
    gaps = [(gap["seq_from"], gap["seq_to"]) for gap in follower.gaps]
    assert gaps == holes_in(follower.seen["small"])
    assert acked == ["acked", str(OVERRUN), *(f"{start}-{end}" for start, end in gaps)]


def holes_in(numbers):
    """The ranges that are missing, from 1 on."""
    return [(before + 1, after - 1) for before, after in zip([0, *numbers], numbers) if after != before + 1]


def test_the_library_that_blocks_loses_nothing_to_a_stopped_bridge(bridge, closing, follow):
    follower = follow(bridge)
    source = closing(LibrarySource(bridge, "patient", buffer=500))
    with stopped(bridge):
        source.burst(OVERRUN, PAD)
        time.sleep(PATIENCE)
    source.flush()
    assert source.answer() == ["published", str(OVERRUN)]
    assert source.answer() == ["acked", str(OVERRUN)]
    wait_for_last(follower, "patient", OVERRUN)
    assert follower.seen["patient"] == everything_but(OVERRUN, [])
    assert follower.gaps == []
