"""deploy/quickstart in a build that is there already; what it installs is for a fresh machine to show."""
import os
import re
import signal
import socket
import subprocess

import pytest

from harness.bridge import BINARY, REPOSITORY, bridge_environment
from harness.pipeline import alive
from harness.wait import PATIENCE, eventually, free_port

BUILD = BINARY.parent.parent
WITHIN = 120 * PATIENCE

pytestmark = pytest.mark.skipif(not (BUILD / "build.ninja").exists(), reason="quickstart builds with Ninja")


@pytest.fixture
def quickstart(tmp_path):
    """quickstart(option…): running, in a process group and with temporary files of its own."""
    started = []

    def start(*options, port=None):
        environment = bridge_environment({"TMPDIR": str(tmp_path)})
        command = [REPOSITORY / "deploy/quickstart", "--no-install", "--build", BUILD, "--port", port or free_port(),
                   "--ingest-port", free_port(), *options]
        out = (tmp_path / "quickstart.out").open("w+")
        started.append(subprocess.Popen([str(part) for part in command], stdout=out, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, env=environment, start_new_session=True))
        started[-1].text = lambda: (tmp_path / "quickstart.out").read_text(errors="replace")
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(30 * PATIENCE)


def family(pid):
    """The process, its children, theirs, and so on."""
    found, grew = {pid}, True
    while grew:
        grew = False
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) in found:
                continue
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent in found:
                found.add(int(entry))
                grew = True
    return found


def test_once_ends_with_a_finished_task_and_leaves_nothing(quickstart, tmp_path):
    process = quickstart("--once")
    assert process.wait(WITHIN) == 0, process.text()
    assert "a task has finished" in process.text()
    assert "No such file" not in process.text()
    assert [path.name for path in tmp_path.iterdir()] == ["quickstart.out"]


def test_ctrl_c_stops_everything_it_started(quickstart, tmp_path):
    process = quickstart()

    def said(pattern):
        assert process.poll() is None, process.text()
        return re.search(pattern, process.text())
    eventually(lambda: said(r"http://localhost:\d+/\?token=\S+"), "the address", timeout=WITHIN)
    eventually(lambda: said('"command-progress'), "events", timeout=WITHIN)
    members = family(process.pid)
    assert len(members) > 7
    process.send_signal(signal.SIGINT)
    assert process.wait(30 * PATIENCE) == 0, process.text()[-2000:]
    eventually(lambda: not any(alive(pid) for pid in members), "everything gone")
    assert [path.name for path in tmp_path.iterdir()] == ["quickstart.out"]


def test_a_port_in_use_is_said(quickstart):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = quickstart(port=taken.getsockname()[1])
        assert process.wait(WITHIN) == 2
        assert "is in use; choose another with --port" in process.text()
