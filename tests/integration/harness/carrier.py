"""What netem does, for kernels that have none: carries packets between two TUN devices.

    carrier.py FD FD        with a line "DELAY JITTER LOSS" (ms, ms, 0 to 1) on standard input for every change

Each packet is lost with that probability, or arrives DELAY ± JITTER later, all independent of each other: so they overtake
each other, as they do with netem. It ends with its standard input."""
import heapq
import itertools
import os
import random
import select
import sys
import time

LARGEST = 65536
AT_ONCE = 64  # packets from one side, then it is the other's turn
ENOUGH = 5_000  # packets on their way; more are lost, as in any router


class Carrier:
    def __init__(self, one, other):
        self._other = {one: other, other: one}
        self._on_the_way = []
        self._order = itertools.count()
        self._delay = self._jitter = self._loss = 0.0
        self._text = b""

    def run(self):
        poll = select.poll()
        for fd in (0, *self._other):
            poll.register(fd, select.POLLIN)
        while True:
            for fd, _ in poll.poll(self._until_next()):
                if fd == 0:
                    if not self._read_orders():
                        return
                else:
                    self._take(fd)
            self._hand_over()

    def _until_next(self):
        if not self._on_the_way:
            return None
        return max(0.0, (self._on_the_way[0][0] - time.monotonic()) * 1000)

    def _read_orders(self):
        got = os.read(0, 4096)
        *lines, self._text = (self._text + got).split(b"\n")
        for line in lines:
            self._delay, self._jitter, self._loss = map(float, line.split())
        return bool(got)

    def _take(self, fd):
        for _ in range(AT_ONCE):
            try:
                packet = os.read(fd, LARGEST)
            except BlockingIOError:
                return
            if random.random() < self._loss or len(self._on_the_way) >= ENOUGH:
                continue
            late = self._delay + random.uniform(-self._jitter, self._jitter)
            heapq.heappush(self._on_the_way, (time.monotonic() + late / 1000, next(self._order), self._other[fd], packet))

    def _hand_over(self):
        while self._on_the_way and self._on_the_way[0][0] <= time.monotonic():
            _, _, fd, packet = heapq.heappop(self._on_the_way)
            try:
                os.write(fd, packet)
            except OSError:  # its side is going down: lost
                pass


Carrier(int(sys.argv[1]), int(sys.argv[2])).run()
