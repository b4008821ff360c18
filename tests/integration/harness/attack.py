"""attack.py KIND PORT: attacks the bridge at that port of this machine until it is killed. It needs no token.

half-open  connections that start a request and never finish it, as many as are let in
garbage    bytes that are no HTTP, and broken frames
guess      tokens, over every way in and from a few addresses, as fast as they are answered
flood      requests, as fast as the bridge takes them; it lets in who sends its token as a first message within 5 s"""
import contextlib
import itertools
import json
import os
import select
import socket
import sys
import time

PAUSE = 0.002                                                       # one core of an attacker is not what is to be tested


def connect(port):
    sock = socket.create_connection(("127.0.0.1", port), timeout=5)
    return sock


def upgrade(target, *headers):
    lines = [f"GET {target} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13", *headers, "", ""]
    return "\r\n".join(lines).encode()


def text_frame(message):
    payload = json.dumps(message).encode()
    assert len(payload) < 126
    return bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload


def half_open(port):
    held = []
    while True:
        with contextlib.suppress(OSError):
            sock = connect(port)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow:")
            held.append(sock)
        if len(held) == 150:
            for sock in held[:50]:
                sock.close()
            del held[:50]
        yield
        time.sleep(5 * PAUSE)


def garbage(port):
    kinds = [os.urandom(4000), b"\r\n" * 1000, b"\x16\x03\x01\x02\x00\x01" + os.urandom(500), b"GET /" + b"a" * 20_000,
             upgrade("/?topics=%zz") + os.urandom(100), upgrade("/?token=x") + b"\x83\x80" * 100]
    for kind in itertools.cycle(kinds):
        with contextlib.suppress(OSError), connect(port) as sock:
            sock.sendall(kind)
            sock.recv(4096)
        yield


def guess(port):
    for n in itertools.count():
        address = f"X-Forwarded-For: 203.0.113.{n % 50}"
        with contextlib.suppress(OSError), connect(port) as sock:
            if n % 2:
                sock.sendall(upgrade(f"/?token=guess-{n}", address))
            else:
                sock.sendall(f"GET /api/status HTTP/1.0\r\n{address}\r\nAuthorization: Bearer guess-{n}\r\n\r\n".encode())
            sock.recv(4096)
        yield


def flood(port):
    requests = b"".join(text_frame({"type": "ping", "id": n}) for n in range(500))
    while True:
        with contextlib.suppress(OSError), connect(port) as sock:
            sock.sendall(upgrade("/", "X-Forwarded-For: 198.51.100.1"))
            sock.recv(4096)
            sock.sendall(requests)
            select.select([sock], [], [], 5)
            sock.recv(65536)
        yield


KINDS = {"half-open": half_open, "garbage": garbage, "guess": guess, "flood": flood}

if __name__ == "__main__":
    attack = KINDS[sys.argv[1]](int(sys.argv[2]))
    next(attack)
    print("attacking", flush=True)
    for _ in attack:
        time.sleep(PAUSE)
