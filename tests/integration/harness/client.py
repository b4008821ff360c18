"""A WebSocket client whose calls block, on python3-websockets, so that tests read from top to bottom."""
import asyncio
import json
import queue
import threading
import time

import websockets

from .wait import TIMEOUT

_loop = None


def _event_loop():
    """One loop on one thread serves all clients of the run."""
    global _loop
    if _loop is None:
        _loop = asyncio.new_event_loop()
        threading.Thread(target=_loop.run_forever, daemon=True, name="websocket-clients").start()
    return _loop


def _blocking(coroutine, timeout=TIMEOUT):
    return asyncio.run_coroutine_threadsafe(coroutine, _event_loop()).result(timeout)


class Closed(Exception):
    """The connection is over; `code` and `reason` are those of the close frame (1006 without one)."""

    def __init__(self, code, reason):
        super().__init__(f"closed with {code} {reason!r}")
        self.code = code
        self.reason = reason


class Client:
    """Connects at once. Options are those of websockets.connect; pings of its own are off."""

    def __init__(self, url, **options):
        self._inbox = queue.Queue()
        settings = {"ping_interval": None, "max_size": None, "open_timeout": TIMEOUT, "close_timeout": 2, **options}
        self._ws = _blocking(self._connect(url, settings))

    async def _connect(self, url, settings):
        ws = await websockets.connect(url, **settings)
        self._reader = asyncio.ensure_future(self._read(ws))
        return ws

    async def _read(self, ws):
        try:
            async for message in ws:
                self._inbox.put(message)
        except websockets.ConnectionClosed:
            pass
        self._inbox.put(Closed(ws.close_code, ws.close_reason))

    @property
    def subprotocol(self):
        return self._ws.subprotocol

    # --- receiving ----------------------------------------------------------------------------------------------------

    def text(self, timeout=TIMEOUT):
        """The next message as it came; raises Closed once the connection is over."""
        try:
            message = self._inbox.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"no message within {timeout:.1f} s") from None
        if isinstance(message, Closed):
            self._inbox.put(message)
            raise message
        return message

    def json(self, timeout=TIMEOUT):
        return json.loads(self.text(timeout))

    def data(self, timeout=TIMEOUT):
        """The `data` of the next envelope."""
        return self.json(timeout)["data"]

    def until(self, kind, timeout=TIMEOUT, **members):
        """The next envelope whose data has this type and these members; passes over others."""
        deadline = time.monotonic() + timeout
        while True:
            envelope = self.json(max(0.01, deadline - time.monotonic()))
            data = envelope["data"]
            if data.get("type") == kind and all(data.get(name) == value for name, value in members.items()):
                return envelope

    def collect(self, kind, **members):
        """The data of everything that comes before the envelope that until() would return."""
        seen = []
        while True:
            data = self.data()
            if data.get("type") == kind and all(data.get(name) == value for name, value in members.items()):
                return seen
            seen.append(data)

    def close_code(self, timeout=TIMEOUT):
        """Reads on to the end and returns the close code."""
        return self.closed(timeout).code

    def closed(self, timeout=TIMEOUT):
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.text(max(0.01, deadline - time.monotonic()))
            except Closed as end:
                return end

    @property
    def is_open(self):
        return self._ws.open

    # --- sending ------------------------------------------------------------------------------------------------------

    def send(self, message):
        """Text and bytes go out as they are, everything else as JSON."""
        _blocking(self._ws.send(message if isinstance(message, (str, bytes)) else json.dumps(message)))

    def request(self, kind, id=1, **members):
        """Sends a request and returns the envelope that repeats its id; events before it are passed over."""
        self.send({"type": kind, "id": id, **members})
        return self.reply(id)

    def reply(self, id):
        while True:
            envelope = self.json()
            if envelope["data"].get("id") == id and "meta" not in envelope:
                return envelope

    def ping(self):
        async def ping():
            await asyncio.wait_for(await self._ws.ping(), TIMEOUT)
        _blocking(ping())

    def close(self):
        _blocking(self._ws.close())
