"""Producers as processes of their own, on the real library: to be killed, stopped, and overrun."""
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time

from .bridge import BINARY, bridge_environment
from .wait import PATIENCE

PROGRAMS = pathlib.Path(os.environ.get("TRESTLE_BIN") or BINARY.parent)
PATIENT = 120 * PATIENCE
SLICES = 20  # in which an order of events is fed


class Process:
    """A program with its input and output on pipes. Whoever makes one closes it."""

    def __init__(self, command):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=bridge_environment({}))

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def cont(self):
        self.process.send_signal(signal.SIGCONT)

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill9()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                pipe.close()
            except OSError:
                pass                                                # what it would still have been told


class PubSource(Process):
    """`trestle pub` that publishes {"type": "seq", "p": name, "n": 0…} as it is fed."""

    def __init__(self, bridge, name):
        super().__init__([PROGRAMS / "trestle", "pub", "--id", name, "--events", bridge.events_addr, "--control",
                          bridge.control_addr, "--timeout", f"{int(PATIENT)}s"])
        self.name, self.fed = name, 0
        self._orders = queue.Queue()
        threading.Thread(target=self._feed, daemon=True).start()

    def feed(self, count, seconds):
        """So many events more, spread over that time. Returns at once: it may be stopped just now, and its pipe full."""
        for i in range(SLICES):
            upto = self.fed + count * (i + 1) // SLICES - count * i // SLICES
            self._orders.put((range(self.fed, upto), seconds / SLICES))
            self.fed = upto

    def finish(self):
        """The end of its input; it must end with 0: everything acked."""
        self._orders.put(None)
        code = self.process.wait(PATIENT)
        assert code == 0, (self.name, code, self.process.stderr.read())

    def _feed(self):
        try:
            while (order := self._orders.get()) is not None:
                numbers, pause = order
                lines = "".join(f'{{"type":"seq","p":"{self.name}","n":{n}}}\n' for n in numbers)
                self.process.stdin.write(lines.encode())
                self.process.stdin.flush()
                time.sleep(pause)
            self.process.stdin.close()
        except (OSError, ValueError):
            pass                                                    # it has ended; finish() says how


class LibrarySource(Process):
    """trestle-test-source: {"type": "seq", "p": name, "life": life, "n": 1…}, in bursts, and it says what was acked."""

    def __init__(self, bridge, name, life=1, buffer=100_000, when_full="block"):
        super().__init__([PROGRAMS / "trestle-test-source", name, life, bridge.events_addr, bridge.control_addr, buffer,
                          when_full])

    def burst(self, count, pad=0):
        self._say(f"burst {count} {pad}")

    def flush(self):
        self._say("flush")

    def _say(self, line):
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def answer(self):
        """Its next line as words."""
        return self.process.stdout.readline().decode().split()

    def end(self):
        """The end of its input; what it said that was not read yet, as lines of words."""
        out, errors = self.process.communicate(timeout=PATIENT)
        assert self.process.returncode == 0, (self.process.returncode, errors)
        return [line.split() for line in out.decode().splitlines()]

    def said(self):
        """After kill9(): the whole lines that were not read yet."""
        return [line.split() for line in self.process.stdout.read().decode().split("\n")[:-1]]
