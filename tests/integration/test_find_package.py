"""The producer library as somebody else's project finds it: installed, and nothing of this repository in sight."""
import os
import pathlib
import re
import subprocess

import pytest

from harness.bridge import BINARY
from harness.wait import PATIENCE

BUILD = BINARY.parent.parent
OUTSIDE = pathlib.Path(__file__).parent / "find_package"


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120 * PATIENCE, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def sanitizer():
    """What the library was built with has to be linked into its user too."""
    found = re.search(r"^TRESTLE_SANITIZE:\w+=(.+)$", (BUILD / "CMakeCache.txt").read_text(), re.MULTILINE)
    return [f"-DCMAKE_EXE_LINKER_FLAGS=-fsanitize={found[1]}"] if found else []


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """The outside project's program."""
    folder = tmp_path_factory.mktemp("outside")
    prefix = folder / "prefix"
    run("cmake", "--install", BUILD, "--component", "producer", "--prefix", prefix)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CMAKE")}
    run("cmake", "-S", OUTSIDE, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}", *sanitizer(), env=environment)
    run("cmake", "--build", folder / "build", env=environment)
    return folder / "build" / "outside"


def test_an_outside_project_builds_and_runs(outside):
    assert run(outside) == "task-finished.a%2Eb\n"


def test_an_outside_project_publishes(outside, bridge, connect):
    client = connect(bridge, meta="1")
    client.until("live")
    assert run(outside, bridge.events_addr, bridge.control_addr) == "acked\n"
    assert bridge.wait_status(lambda status: any(one["id"] == "outside" for one in status["producers"]), "the producer")
