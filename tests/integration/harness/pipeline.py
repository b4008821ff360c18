"""The real pipeline, started by its own launcher, for one bridge."""
import os
import re
import signal
import subprocess
import sys

from .bridge import BINARY, REPOSITORY
from .wait import PATIENCE, eventually

LAUNCHER = REPOSITORY / "clients/pipeline/run"
QUEUE = BINARY.parent / "trestle-queue"
START_WITHIN = 15 * PATIENCE


def alive(pid):
    """False for a zombie too: in a container nobody may reap an orphan."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Pipeline:
    """Runs clients/pipeline/run in `folder`; options are the launcher's."""

    def __init__(self, folder, bridge, *options):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.out_path = folder / "launcher.out"
        command = [sys.executable, str(LAUNCHER), "--bin", str(BINARY.parent), "--work", str(folder / "work"),
                   "--events", bridge.events_addr, "--control", bridge.control_addr, *map(str, options)]
        with self.out_path.open("wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        try:
            eventually(self._ready, "the pipeline", timeout=START_WITHIN)
        except AssertionError:
            self.close()
            raise

    def _ready(self):
        assert self.process.poll() is None, f"the launcher ended with {self.process.returncode}: {self.output()}"
        return re.search(r"^ready$", self.output(), re.MULTILINE)

    def output(self):
        return self.out_path.read_text(errors="replace")

    def pids(self):
        """{name: newest pid} of everything the launcher has started."""
        return {name: int(pid) for name, pid in re.findall(r"^started (\S+) pid (\d+)$", self.output(), re.MULTILINE)}

    def all_pids(self):
        return [int(pid) for pid in re.findall(r"^started \S+ pid (\d+)$", self.output(), re.MULTILINE)]

    def kill(self, name, number=signal.SIGKILL):
        os.kill(self.pids()[name], number)

    @property
    def uploads(self):
        return self.folder / "work/upload"

    @property
    def queue(self):
        return re.search(r"^queue (\S+)$", self.output(), re.MULTILINE).group(1)

    def ctl(self, *words):
        """Output of `trestle-queue ctl …`, which must succeed."""
        done = subprocess.run([QUEUE, "ctl", "--queue", self.queue, *map(str, words)], capture_output=True, text=True,
                              timeout=START_WITHIN, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add(self, *files):
        """The new tasks' ids."""
        return self.ctl("add", *files).split()

    def stop(self, number=signal.SIGTERM):
        """The launcher's exit code; it has ten seconds."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(10 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the launcher did not stop: {self.output()[-2000:]}") from None

    def close(self):
        self.stop()
