"""Frames as RFC 6455 allows them and as it does not, and what a server says to them, in one word."""
import json
import os
import struct

from .raw import RawWebSocket

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
RSV1, RSV2, RSV3 = 0x40, 0x20, 0x10
REQUEST = b'{"type":"ping","id":"\xc3\xbc-\xe2\x82\xac-\xf0\x9f\x98\x80"}'
ANSWERED = "answered"                                               # what REQUEST gets
LAST = b'{"type":"ping","id":"last"}'
GOES_ON = "goes on"                                                 # what LAST gets


def frame(opcode, payload=b"", fin=True, rsv=0, key=None, length=None):
    """The bytes of one frame. key=b"": no mask.  length=7, 16 or 64: its form, whether or not it is the shortest."""
    size = len(payload)
    form = length or (7 if size < 126 else 16 if size < 65536 else 64)
    key = os.urandom(4) if key is None else key
    bit = 0x80 if key else 0
    head = bytes([(0x80 if fin else 0) | rsv | opcode])
    head += {7: lambda: bytes([bit | size]), 16: lambda: struct.pack(">BH", bit | 126, size),
             64: lambda: struct.pack(">BQ", bit | 127, size)}[form]()
    mask = (int.from_bytes(key * (size // 4 + 1), "big") >> (8 * (4 - size % 4))) if key else 0
    return head + key + ((int.from_bytes(payload, "big") ^ mask).to_bytes(size, "big") if key else payload)


def message(*parts, rsv=0, rsv_after=0, between=b""):
    """The frames of a text in these fragments; rsv is the first one's, rsv_after that of the others."""
    last = len(parts) - 1
    return between.join(frame(CONTINUATION if n else TEXT, part, fin=n == last, rsv=rsv_after if n else rsv)
                        for n, part in enumerate(parts))


def request_of(size):
    """REQUEST in so many bytes."""
    return REQUEST + b" " * (size - len(REQUEST))


def close_frame(code, reason=b""):
    return frame(CLOSE, struct.pack(">H", code) + reason)


class Peer(RawWebSocket):
    """A client that says what it gets in words: "answered", "error", ("pong", …), a close code, "end"."""

    def hears(self):
        try:
            first, payload = self.frame()
        except (EOFError, ConnectionResetError):
            return "end"
        assert first & 0x80, "events and answers are not fragmented"
        opcode = first & 0x0F
        if opcode == TEXT:
            data = json.loads(payload)["data"]
            answers = {json.loads(REQUEST)["id"]: ANSWERED, "last": GOES_ON}
            return answers[data["id"]] if data["type"] == "pong" else data["type"]
        if opcode == CLOSE:
            return struct.unpack(">H", payload[:2])[0] if payload else 1005
        return {PING: "ping", PONG: ("pong", payload)}[opcode]

    def says(self, *frames):
        self.sock.sendall(b"".join(frames))
        return self

    def heard(self, *frames):
        """All that comes back for the frames and a LAST request after them, until its answer or the connection's end."""
        self.says(*frames, frame(TEXT, LAST))
        words = []
        while not words or words[-1] not in (GOES_ON, "end"):
            words.append(self.hears())
        return words
