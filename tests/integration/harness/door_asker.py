"""One session that asks, by one way in, and everything it was told: for tests that compare that with what it may be told."""
import contextlib
import json
import re
import struct
import urllib.parse
from typing import NamedTuple

from .raw import RawWebSocket

WORD = re.compile(rb"word-[0-9a-f]{12}")


class Way(NamedTuple):
    """How a token is shown: `shown` is the product's own name for it."""
    name: str
    shown: str
    path: str = "/"
    query: str = ""
    protocol: str = "trestle.plain"
    is_open: bool = False                                           # a path that needs no token

    def query_of(self, token, **asked):
        own = {"token": token} if self.shown == "query" and token is not None else {}
        return urllib.parse.urlencode({**own, **{name: value for name, value in asked.items() if value is not None}})

    def headers_of(self, token):
        if self.shown == "header" and token is not None:
            return [f"Authorization: Bearer {token}"]
        if self.shown == "subprotocol" and token is not None:
            return [f"Sec-WebSocket-Protocol: {self.protocol}, bearer.{token}"]
        return []


class Asker:
    """Connects and is closed with the block. `words`: the marks of all events it was sent, in order; `closed`: (code, reason)."""

    def __init__(self, bridge, way, token, topics=None, since=None):
        query = "&".join(filter(None, [way.query, way.query_of(token, topics=topics, since=since)]))
        self.ws = RawWebSocket(bridge.port, f"{way.path}?{query}", headers=way.headers_of(token))
        self.words, self.notices, self.closed, self._id = [], [], None, 0
        self.greeting = self.ask("auth", token=token) if way.shown == "message" and token is not None else None

    def ask(self, kind, **members):
        """Its reply's data; None if the session is closed before that."""
        self._id += 1
        with contextlib.suppress(OSError):
            self.ws.send(self.ws.TEXT, json.dumps({"type": kind, "id": self._id, **members}).encode())
        return self._read(lambda data: data.get("id") == self._id)

    def settle(self):
        """Takes what was sent by now: a reply comes behind it."""
        return self.ask("status")

    def wait_closed(self):
        self._read(lambda data: False)
        return self.closed

    def _read(self, wanted):
        while self.closed is None:
            try:
                first, payload = self.ws.frame()
            except (EOFError, ConnectionResetError):
                self.closed = (1006, "")
                break
            if first & 0x0F == self.ws.CLOSE:
                self.closed = (struct.unpack(">H", payload[:2])[0], payload[2:].decode())
                break
            self.words += dict.fromkeys(word.decode() for word in WORD.findall(payload))  # a topic may repeat it in meta
            message = json.loads(payload)
            data = message.get("data", {}) if "success" in message else {}
            if wanted(data):
                return data
            if data.get("type") in ("welcome", "live", "gap", "cursor", "drain"):
                self.notices.append(data)
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.ws.close()
