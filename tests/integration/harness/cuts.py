"""A client that is cut wherever the test says, and that keeps between its connections only what the cursor rules allow."""
import json

from .follow import Cursor
from .raw import RawWebSocket


class CutClient:
    """What it keeps: its cursor, the topics that are live, the in-band subscriptions whose `live` has not come, and the events.

    A replay in-band counts when its `live` has come. One that was cut is asked for again with the same `since`, and what it
    had given is given again: so it is dropped at the cut.

    events: [(offset, data)] that moved the cursor.  replayed: [(offset, data)] of replays that are complete.
    gaps: [[data, …] of each connection].  messages: of the newest connection."""

    def __init__(self, bridge, topics, since=None, subscribe=()):
        self._bridge, self.topics = bridge, list(topics)
        self.cursor, self._asked = Cursor(since), list(subscribe)   # [(topic, since), …]
        self.events, self.replayed, self.gaps = [], [], []
        self.base = None                                            # the first `live`: from here on everything is owed

    def connection(self, messages=None, until_moved=False):
        """One connection, cut after so many messages, or once the cursor has moved; True if it came to the end instead: all
        is live, and the event `end` is there."""
        query = {"meta": 1, "topics": ",".join(self.topics), **self.cursor.query}
        url = self._bridge.ws_url(**query)
        socket = RawWebSocket(self._bridge.port, url[url.index("/?"):])
        self.gaps.append([])
        self._unfinished, self._waits_for = [], [None, *self._asked]
        self.messages, before = 0, self.cursor.text
        try:
            for number, (topic, since) in enumerate(self._asked):
                request = {"type": "subscribe", "id": number, "topics": [topic], **({"since": since} if since else {})}
                socket.send(RawWebSocket.TEXT, json.dumps(request).encode())
            while not self._complete():
                if self.messages == messages or (until_moved and self.cursor.text != before):
                    return False
                self._take(json.loads(socket.next(RawWebSocket.TEXT)))
                self.messages += 1
            return True
        finally:
            socket.close()

    def to_the_end(self):
        """Cut again and again, as soon as it has got further."""
        while not self.connection(until_moved=True):
            assert len(self.gaps) < 200, f"it gets nowhere: now at {self.cursor.text}"

    def _complete(self):
        return not self._waits_for and any(data["type"] == "end" for _, data in self.events + self.replayed)

    def _take(self, envelope):
        self.cursor.take(envelope)
        data, meta = envelope["data"], envelope.get("meta")
        if meta:
            (self._unfinished if meta.get("replay") else self.events).append((meta["offset"], data))
        elif data["type"] == "gap":
            self.gaps[-1].append(data)
        elif data["type"] == "live":
            self._live(data["offset"])

    def _live(self, offset):
        if self.base is None:
            self.base = offset
        self.replayed += self._unfinished
        self._unfinished = []
        asked = self._waits_for.pop(0)
        if asked:
            self._asked.remove(asked)
            self.topics.append(asked[0])


def cut_everywhere(make, between=lambda: None):
    """Cuts a client of make() after its first message, another after its second, and so on to the last of one that nobody
    cuts; each comes back, is cut again as soon as it has got further, and so to its end. between() is called after the first
    cut, for events that the client misses. Returns the clients."""
    uncut = make()
    assert uncut.connection()
    clients = [uncut]
    for messages in range(1, uncut.messages):
        clients.append(make())
        assert not clients[-1].connection(messages=messages)
        between()
        clients[-1].to_the_end()
    return clients
