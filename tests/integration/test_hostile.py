"""Garbage at every port: the bridge goes on serving everybody else."""
import random
import select
import socket
import struct

import pytest

from harness.raw import RawWebSocket, connect as open_socket, upgrade
from harness.wait import share_of

RANDOM = random.Random(20261121)
GARBAGE = {
    "zeros": bytes(10000),
    "ones": b"\xff" * 10000,
    "random": RANDOM.randbytes(100_000),
    "lines": b"\r\n" * 5000,
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + RANDOM.randbytes(512),
    "http": b"GET / HTTP/9.9\r\n\r\n",
    "half a line": b"GE",
    "binary header": b"GET / HTTP/1.1\r\nHost: \x00\x01\xff\r\n\r\n",
    "greeting": b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL" + bytes(48),
    "greeting and a huge frame": b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48) + b"\x02" + b"\x7f" * 8 + b"x" * 1000,
}


def port_of(bridge, which):
    address = {"front": None, "events": bridge.events_addr, "control": bridge.control_addr}[which]
    return bridge.port if address is None else int(address.rsplit(":", 1)[1])


@pytest.mark.parametrize("which", ["front", "events", "control"])
def test_garbage_disturbs_nobody(bridge, publisher, sequenced, connect, which):
    client, source = connect(bridge), publisher(bridge)
    sockets = []
    for garbage in GARBAGE.values():
        for piece in (garbage, garbage[:1], garbage[: len(garbage) // 2]):
            sock = open_socket(port_of(bridge, which))
            sockets.append(sock)
            try:
                sock.sendall(piece)
            except OSError:
                pass                                                # it has hung up already, which is fine
    source.event({"type": "hello"})
    assert client.data()["type"] == "hello"
    sequenced(bridge, "worker-2").event({"type": "step"})
    assert client.data()["type"] == "step"
    assert connect(bridge).request("ping")["success"]
    assert bridge.healthy()
    for sock in sockets:
        sock.close()


def test_connections_that_are_reset(bridge, connect):
    import struct
    for _ in range(50):
        sock = open_socket(bridge.port)
        sock.sendall(b"GET /healthz HTTP/1.1\r\n")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    assert connect(bridge).request("ping")["success"]


def reset(sock):
    """Ends the connection without a word; what the other side writes then fails."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_who_hangs_up_during_the_handshake_leaves_nothing_to_others(trestled, publisher, connect):
    """A session whose answer can't be written any more is over; its descriptor's number is somebody else's by then."""
    bridge = trestled({"shards": 1})
    source = publisher(bridge)
    source.event({"type": "queue-update", "secret": "payroll"})
    requests = [upgrade(f"/?token={bridge.token}&meta=1&since=0"),
                f"GET /api/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bridge.token}\r\n\r\n".encode()]
    for number in range(share_of(120, least=30)):
        leaving = [open_socket(bridge.port) for _ in range(20)]
        for sock in leaving:
            sock.sendall(requests[number % len(requests)])
            reset(sock)
        strangers = [open_socket(bridge.port) for _ in range(20)]
        readable, _, _ = select.select(strangers, [], [], 0.02)
        assert not readable, [sock.recv(4000) for sock in readable]
        for sock in strangers:
            reset(sock)
    bridge.wait_status(lambda status: status["connections_total"] == 1, "nobody but who asks")
    client = connect(bridge)
    client.until("queue-update")
    for number in range(20):
        source.event({"type": "tick", "number": number})
        assert client.until("tick")["data"]["number"] == number


@pytest.mark.parametrize("opcode, payload, options, code", [
    (3, b"", {}, 1002),                                             # a reserved opcode
    (1, b"{}", {"mask": False}, 1002),                              # clients mask
    (1, b"{}", {"rsv": 0x40}, 1002),                                # a bit of an extension nobody agreed on
    (9, b"x" * 126, {}, 1002),                                      # a ping over 125 bytes
    (9, b"x", {"fin": False}, 1002),                                # a fragmented ping
    (0, b"x", {}, 1002),                                            # a continuation of nothing
], ids=["reserved opcode", "unmasked", "rsv1", "long ping", "fragmented ping", "lone continuation"])
def test_broken_frames_close_their_own_connection(bridge, closing, connect, opcode, payload, options, code):
    ws = closing(RawWebSocket(bridge.port, "/?token=" + bridge.token))
    ws.send(opcode, payload, **options)
    assert ws.close_code() == code
    assert connect(bridge).request("ping")["success"]


def test_a_frame_that_claims_to_be_enormous_is_refused_at_once(bridge, closing):
    import struct
    ws = closing(RawWebSocket(bridge.port, "/?token=" + bridge.token))
    ws.sock.sendall(struct.pack(">BBQ", 0x81, 0x80 | 127, 2**40) + b"\0\0\0\0" + b"x" * 100)
    assert ws.close_code() == 1009


def test_fragments_that_add_up_to_too_much(trestled, closing):
    bridge = trestled({"limits": {"message": "2KiB"}})
    ws = closing(RawWebSocket(bridge.port, "/?token=" + bridge.token))
    ws.send(ws.TEXT, b"x" * 1000, fin=False)
    ws.send(0, b"x" * 1000, fin=False)
    ws.send(0, b"x" * 1000, fin=False)
    assert ws.close_code() == 1009


def test_hundreds_of_clients_come_and_go(bridge, connect, publisher):
    source = publisher(bridge)
    for round in range(5):
        clients = [connect(bridge) for _ in range(60)]
        source.event({"type": "note", "round": round})
        for client in clients:
            assert client.until("note", round=round)
        for client in clients[::2]:
            client.close()
    bridge.wait_status(lambda status: status["sessions_total"] == 150, "half of them gone")
