"""Crowds that come at once: everybody gets everything. How long it takes is tests/bench's question."""
import os
import pathlib
import subprocess

import pytest

from harness.bridge import BINARY
from harness.wait import TIMEOUT, share_of

PROGRAMS = pathlib.Path(os.environ.get("TRESTLE_BIN", BINARY.parent))


def run(program, *arguments):
    own = {name: value for name, value in os.environ.items() if not name.startswith("TRESTLE")}
    done = subprocess.run([PROGRAMS / program, "--trestled", BINARY, "--no-bars", *map(str, arguments)],
                          env=own, capture_output=True, text=True, timeout=10 * TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def storm(*arguments):
    """Each client of trestle-storm counts its events, sees that offsets rise, and waits for `live`."""
    return run("trestle-storm", "--calm", "0.2", *arguments)


@pytest.mark.parametrize("arguments", [
    ("resume", "--resuming", share_of(1000), "--events", 2000),
    ("join", "--joining", share_of(2000), "--topics", 500),
], ids=["resuming", "joining"])
def test_everybody_gets_everything(arguments):
    assert "live p99" in storm(*arguments)


def test_under_every_attack_at_once_nobody_misses_anything():
    """trestle-attack counts what its clients get; how long that takes is tests/bench's question."""
    told = run("trestle-attack", "--clients", share_of(200, least=20), "--seconds", 1, "--after", 1, "--kept", 2000)
    assert "none missing" in told and "resident, under attack" in told
    for attack in ("wrong tokens", "half-open", "never read", "oversize", "garbage instead", "ping floods", "subscription floods",
                   "garbage in ZMTP", "garbage events", "garbage control"):
        line, = [line for line in told.splitlines() if attack in line]
        assert float(line.split(" a second")[0].split()[-1]) > 0, line
