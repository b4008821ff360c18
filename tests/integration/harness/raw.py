"""Sockets driven byte by byte, for peers that do not behave."""
import base64
import os
import socket
import struct

from .wait import TIMEOUT


def connect(port, address="127.0.0.1"):
    return socket.create_connection((address, port), timeout=TIMEOUT)


def read_all(sock):
    """Everything until the peer closes; raises TimeoutError when it does not."""
    chunks = []
    while True:
        try:
            chunk = sock.recv(65536)
        except ConnectionResetError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks)


def exchange(port, request):
    """Sends the bytes and returns all that comes back until the other side closes."""
    with connect(port) as sock:
        sock.sendall(request)
        return read_all(sock)


def status_of(answer):
    """200 of b"HTTP/1.1 200 OK…"; 0 when it is no HTTP."""
    words = answer.split(b" ", 2)
    return int(words[1]) if answer.startswith(b"HTTP/1.") and len(words) > 1 else 0


def upgrade(target, version=13, headers=()):
    lines = [f"GET {target} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(), f"Sec-WebSocket-Version: {version}",
             *headers, "", ""]
    return "\r\n".join(lines).encode()


class RawWebSocket:
    """Frames as they are on the wire. It answers nothing by itself, not even a ping."""

    TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

    def __init__(self, port, target, headers=(), receive_buffer=None):
        """`receive_buffer`: bytes that the kernel takes for a client that does not read, as far as it obeys."""
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(("127.0.0.1", port))
        self.sock.sendall(upgrade(target, headers=headers))
        self._buffer = b""
        self._read = 0                                              # how much of the buffer has been taken
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._more()
        self.head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)

    def _more(self):
        chunk = self.sock.recv(262144)
        if not chunk:
            raise EOFError("the bridge closed the connection")
        return chunk

    def _take(self, count):
        while len(self._buffer) - self._read < count:
            self._buffer = self._buffer[self._read:] + self._more()
            self._read = 0
        start = self._read
        self._read += count
        return self._buffer[start:self._read]

    def frame(self):
        """(first byte, payload) of the next frame."""
        first, length = self._take(2)
        assert not length & 0x80, "a server must not mask"
        if length == 126:
            length, = struct.unpack(">H", self._take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self._take(8))
        return first, self._take(length)

    def next(self, opcode):
        """The payload of the next frame with that opcode."""
        while True:
            first, payload = self.frame()
            if first & 0x0F == opcode:
                return payload

    def send(self, opcode, payload=b"", fin=True, mask=True, rsv=0):
        first = (0x80 if fin else 0) | rsv | opcode
        size = len(payload)
        bit = 0x80 if mask else 0
        if size < 126:
            head = struct.pack(">BB", first, bit | size)
        elif size < 65536:
            head = struct.pack(">BBH", first, bit | 126, size)
        else:
            head = struct.pack(">BBQ", first, bit | 127, size)
        key = os.urandom(4)
        body = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload)) if mask else payload
        self.sock.sendall(head + (key if mask else b"") + body)

    def close_code(self):
        """The code of the close frame; 1006 when the connection just ends."""
        try:
            payload = self.next(self.CLOSE)
        except (EOFError, ConnectionResetError):
            return 1006
        return struct.unpack(">H", payload[:2])[0] if payload else 1005

    def close(self):
        self.sock.close()
