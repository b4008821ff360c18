"""Clients that come back: they keep a cursor by the rules of the wire, and everything they got."""
import contextlib
import json
import operator
import socket
import struct
import threading
import time

from .raw import RawWebSocket
from .wait import PATIENCE

RESUME = {1001, 1005, 1006, 1011, 4408}  # closes after which a client comes back with its cursor


class Cursor:
    """What a client may store (bridge/DELIVERY.md): it is moved by events that are no replays, by `live` and by `cursor`."""

    def __init__(self, since=None):
        self.text = since
        self.epoch = None

    def take(self, envelope):
        data, meta = envelope["data"], envelope.get("meta")
        if meta:
            if not meta.get("replay"):
                self.text = f"{self.epoch}:{meta['offset']}"
        elif data["type"] in ("welcome", "live", "cursor", "gap"):
            self.epoch = data["epoch"]
            if data["type"] in ("live", "cursor"):
                self.text = f"{self.epoch}:{data['offset']}"

    @property
    def query(self):
        return {"since": self.text} if self.text else {}


class Follower:
    """Follows a bridge on a thread of its own through whatever happens to it. Frames are read straight from the socket:
    three of these take 600,000 events beside the processes under test.

    seen: {producer: [n, …]} of events {"type": "seq", "p": producer, "n": n}, in the order of their arrival; value(data) gives
    something else than n.  gaps: the data of every gap.  errors: what should not have happened."""

    def __init__(self, bridge, topics="seq", value=operator.itemgetter("n")):
        self.seen, self.gaps, self.errors, self.connections = {}, [], [], 0
        self._bridge, self._topics, self._value = bridge, topics, value
        self._cursor = Cursor("0")
        self._socket, self._ended = None, False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def is_live(self):
        """True once its first connection has caught up: from here on it hears of losses."""
        return self._cursor.text != "0"

    def count(self, producer):
        return len(self.seen.get(producer, ()))

    def close(self):
        self._ended = True
        if self._socket:
            with contextlib.suppress(OSError):
                self._socket.sock.shutdown(socket.SHUT_RDWR)        # a close alone does not wake who waits in recv()
        self._thread.join(10 * PATIENCE)

    def _run(self):
        while not self._ended and not self.errors:
            try:
                self._follow()
            except (OSError, EOFError):
                time.sleep(0.02)
            except Exception as error:                              # a thread that dies in silence would look like a loss
                self.errors.append(repr(error))

    def _follow(self):
        url = self._bridge.ws_url(meta=1, topics=self._topics, **self._cursor.query)
        self._socket = RawWebSocket(self._bridge.port, url[url.index("/", 5 + 2):])
        self.connections += 1
        try:
            while not self._ended:
                self._frame(*self._socket.frame())
        finally:
            self._socket.close()

    def _frame(self, first, payload):
        opcode = first & 0x0F
        if opcode == RawWebSocket.TEXT:
            self._take(json.loads(payload))
        elif opcode == RawWebSocket.PING:
            self._socket.send(RawWebSocket.PONG, payload)
        elif opcode == RawWebSocket.CLOSE:
            code = struct.unpack(">H", payload[:2])[0] if payload else 1005
            if code not in RESUME:
                self.errors.append(f"closed with {code} {payload[2:]!r}")
            raise EOFError

    def _take(self, envelope):
        self._cursor.take(envelope)
        data = envelope["data"]
        if "meta" in envelope:
            self.seen.setdefault(data["p"], []).append(self._value(data))
        elif data["type"] == "gap":
            self.gaps.append(data)
