"""The bridge is killed or stopped while it works: every event of every producer reaches every client once and in order."""
import contextlib
import signal
import time

import pytest

from harness.follow import Follower
from harness.source import PATIENT, PubSource
from harness.wait import Dice, eventually, share_of

PRODUCERS = ("a", "b", "c", "d")
CLIENTS = 3
JOURNAL = {"stream": {"path": "trestle.db"}}
ROUND = 0.5  # seconds over which the events of a round are fed
LONG = 7  # seconds: longer than ZeroMQ's heartbeat takes to give a peer up


class Storm:
    """Four `trestle pub` and three clients on one bridge. Each round feeds the producers their share, and then something
    happens to somebody. Nobody gets more than LAG rounds ahead of the clients: less than what the bridge retains."""

    LAG = 3

    def __init__(self, bridge, events, rounds):
        self.bridge, self.dice = bridge, Dice()
        self.rounds, self._per_round = rounds, -(-events // (rounds * len(PRODUCERS)))
        self.sources = [PubSource(bridge, name) for name in PRODUCERS]
        self.followers = [Follower(bridge) for _ in range(CLIENTS)]

    def run(self, disturb):
        for round_ in range(self.rounds):
            for source in self.sources:
                source.feed(self._per_round, ROUND)
            disturb(round_)
            self._everywhere((round_ - self.LAG) * self._per_round)
        for source in self.sources:
            source.finish()
        self._everywhere(self.rounds * self._per_round)
        return self

    def _everywhere(self, count):
        def reached():
            return all(follower.errors or follower.count(name) >= count
                       for follower in self.followers for name in PRODUCERS)
        eventually(reached, f"{count} events of each producer at each client ({self.dice.said})", timeout=PATIENT, every=0.05)

    def busy(self):
        """True if clients are being given events just now."""
        before = [follower.count(name) for follower in self.followers for name in PRODUCERS]
        time.sleep(0.02)
        return before != [follower.count(name) for follower in self.followers for name in PRODUCERS]

    def check(self):
        """All of it, once, in each producer's order, and no gap."""
        count = self.rounds * self._per_round
        for follower in self.followers:
            assert (follower.errors, follower.gaps) == ([], []), self.dice.said
            assert sorted(follower.seen) == sorted(PRODUCERS), self.dice.said
            for name in PRODUCERS:
                wrong = first_wrong(follower.seen[name], count)
                assert wrong is None, f"{name}: {wrong} ({self.dice.said})"

    def close(self):
        with contextlib.ExitStack() as ends:
            for one in (*self.followers, *self.sources):
                ends.callback(one.close)


def first_wrong(numbers, count):
    """Where `numbers` are not 0, 1 … count-1, in words."""
    for place, number in enumerate(numbers):
        if number != place:
            return f"number {number} at place {place}"
    return None if len(numbers) == count else f"{len(numbers)} events instead of {count}"


@pytest.fixture
def storm(trestled, closing):
    return lambda events, rounds: closing(Storm(trestled(JOURNAL), events, rounds))


def test_20_times_kill_9_of_the_bridge_loses_and_doubles_nothing(storm):
    kills = share_of(20, least=4)
    weather = storm(events=share_of(200_000), rounds=kills)
    bridge, dice, busy = weather.bridge, weather.dice, []

    def kill(round_):
        time.sleep(dice.uniform(0, 1.5 * ROUND))
        busy.append(weather.busy())
        bridge.kill9()
        if round_ % 4 == 3:                                         # and once more while it starts
            bridge.launch()
            time.sleep(dice.uniform(0, 0.05))
            bridge.kill9()
        bridge.restart()

    weather.run(kill).check()
    assert bridge.runs >= kills + 1
    assert sum(busy) >= kills / 4, f"too few of the kills hit a bridge at work ({dice.said})"
    assert all(follower.connections > 1 for follower in weather.followers)


def test_pauses_of_the_bridge_and_of_producers_lose_and_double_nothing(storm):
    pauses = share_of(20, least=4)
    weather = storm(events=share_of(200_000), rounds=pauses)
    dice = weather.dice

    def pause(round_):
        time.sleep(dice.uniform(0, ROUND))
        process = weather.bridge.process if round_ % 3 else dice.choice(weather.sources).process
        process.send_signal(signal.SIGSTOP)
        time.sleep(LONG if round_ == pauses // 2 else dice.uniform(0.02, 0.6))
        process.send_signal(signal.SIGCONT)

    weather.run(pause).check()
