"""Crowds that come at once: everybody gets everything. How long it takes is tests/bench's question."""
import os
import pathlib
import subprocess

import pytest

from harness.bridge import BINARY
from harness.wait import TIMEOUT, share_of

STORM = pathlib.Path(os.environ.get("TRESTLE_BIN", BINARY.parent)) / "trestle-storm"


def storm(*arguments):
    """Each client of trestle-storm counts its events, sees that offsets rise, and waits for `live`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TRESTLE")}
    done = subprocess.run([STORM, "--trestled", BINARY, "--no-bars", "--calm", "0.2", *map(str, arguments)],
                          env=own, capture_output=True, text=True, timeout=10 * TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("arguments", [
    ("resume", "--resuming", share_of(1000), "--events", 2000),
    ("join", "--joining", share_of(2000), "--topics", 500),
], ids=["resuming", "joining"])
def test_everybody_gets_everything(arguments):
    assert "live p99" in storm(*arguments)
