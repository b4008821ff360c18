"""A client that reads k bytes at a time and takes every byte of it for what RFC 6455 says it is."""
import json
import struct

from .raw import RawWebSocket
from .wait import TIMEOUT

TEXT, CLOSE, PING, PONG = RawWebSocket.TEXT, RawWebSocket.CLOSE, RawWebSocket.PING, RawWebSocket.PONG


class FrameError(AssertionError):
    pass


class Parser:
    """Frames from bytes as they come; whatever is not a whole, plain server frame is a FrameError."""

    def __init__(self):
        self._bytes = bytearray()
        self.closed = None                                          # the payload of the close frame

    def feed(self, chunk):
        """The (opcode, payload) of every frame that is whole now."""
        self._bytes += chunk
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def unfinished(self):
        return bytes(self._bytes)

    def _next(self):
        data = self._bytes
        if len(data) < 2:
            return None
        if self.closed is not None:
            raise FrameError(f"bytes after the close frame: {bytes(data[:64])!r}")
        first, length = data[0], data[1]
        opcode, head = first & 0x0F, 2
        if first not in (0x80 | TEXT, 0x80 | CLOSE, 0x80 | PING, 0x80 | PONG):
            raise FrameError(f"first byte {first:#x} in {bytes(data[:64])!r}")
        if length >= 126:
            head = 4 if length == 126 else 10
            if len(data) < head:
                return None
            length, = struct.unpack_from(">H" if head == 4 else ">Q", data, 2)
            if opcode != TEXT or length < (126 if head == 4 else 65536) or length > 10_000_000:
                raise FrameError(f"length {length} of opcode {opcode} in {bytes(data[:64])!r}")
        if len(data) < head + length:
            return None
        payload = bytes(data[head:head + length])
        del data[:head + length]
        if opcode == CLOSE:
            self.closed = payload
        return opcode, json.loads(payload) if opcode == TEXT else payload


class Nibbler(RawWebSocket):
    """Reads as little at a time as it is told to."""

    def __init__(self, port, target, receive_buffer=None):
        super().__init__(port, target, receive_buffer=receive_buffer)
        self.parser = Parser()
        self._early = self.parser.feed(self._buffer)                # frames that came with the handshake

    def read(self, count, timeout=TIMEOUT):
        """The frames that `count` more bytes complete; None at the end of the stream."""
        early, self._early = self._early, []
        if early:
            return early
        self.sock.settimeout(timeout)
        try:
            chunk = self.sock.recv(count)
        except ConnectionResetError:
            return None
        return self.parser.feed(chunk) if chunk else None
