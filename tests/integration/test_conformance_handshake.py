"""RFC 6455 section 4.2, the opening handshake as a server answers it, a requirement a case."""
import base64
import hashlib

import pytest

from harness.raw import exchange, read_all, status_of, connect as open_socket

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HEADERS = {"Host": "h", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": KEY,
           "Sec-WebSocket-Version": "13"}
CLOSE = b"\x88\x80" + bytes(4)


def request(bridge, changes=None, line=None):
    """The head of the answer, and its headers by lower-case name; `changes`: None for a header leaves it out."""
    headers = {**HEADERS, **(changes or {})}
    lines = [line or f"GET /?token={bridge.token} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
    answer = exchange(bridge.port, "\r\n".join([*lines, "", ""]).encode() + CLOSE)
    head = answer.split(b"\r\n\r\n")[0].decode().split("\r\n")
    return status_of(answer), {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:])}


@pytest.mark.parametrize("changes, line, expected", [
    pytest.param({}, None, 101, id="4.2.1 all that is needed"),
    pytest.param({"Upgrade": "WebSocket"}, None, 101, id="4.2.1 Upgrade in any case"),
    pytest.param({"Upgrade": "h2c, websocket"}, None, 101, id="4.2.1 Upgrade is a list"),
    pytest.param({"Connection": "keep-alive, uPGRADE"}, None, 101, id="4.2.1 Connection is a list in any case"),
    pytest.param({"Sec-WebSocket-Key": None, "SEC-WEBSOCKET-KEY": KEY}, None, 101, id="4.2.1 header names in any case"),
    pytest.param({"X-Unknown": "x"}, None, 101, id="4.2.1 unknown headers are ignored"),
    pytest.param({"Host": None}, None, 400, id="4.2.1 no Host"),
    pytest.param({"Upgrade": None}, None, 200, id="4.2.1 no Upgrade: plain HTTP"),
    pytest.param({"Upgrade": "websockets"}, None, 200, id="4.2.1 another Upgrade: plain HTTP"),
    pytest.param({"Connection": None}, None, 200, id="4.2.1 no Connection: plain HTTP"),
    pytest.param({"Sec-WebSocket-Key": None}, None, 400, id="4.2.1 no key"),
    pytest.param({"Sec-WebSocket-Key": "eA=="}, None, 400, id="4.2.1 a key that is too short"),
    pytest.param({"Sec-WebSocket-Key": KEY[:-4] + "!!=="}, None, 400, id="4.2.1 a key that is not base64"),
    pytest.param({}, "POST / HTTP/1.1", 405, id="4.2.1 not GET"),
    pytest.param({}, "GET / HTTP/1.0", 400, id="4.2.1 HTTP before 1.1"),
    pytest.param({}, "GET /nowhere HTTP/1.1", 404, id="4.2.2 no such resource"),
    pytest.param({"Sec-WebSocket-Version": "8"}, None, 426, id="4.2.2 version 8"),
    pytest.param({"Sec-WebSocket-Version": None}, None, 426, id="4.2.2 no version"),
    pytest.param({"Sec-WebSocket-Version": "13, 8"}, None, 426, id="4.2.2 two versions"),
])
def test_the_request(bridge, changes, line, expected):
    status, headers = request(bridge, changes, line)
    assert status == expected
    if status != 101:                                               # an answer like all others
        assert headers["connection"] == ("close, Upgrade" if status == 426 else "close")
        assert headers["x-content-type-options"] == "nosniff"
        assert "content-length" in headers


def test_4_2_2_the_answer(bridge):
    status, headers = request(bridge)
    accept = base64.b64encode(hashlib.sha1((KEY + GUID).encode()).digest()).decode()
    assert (status, headers["upgrade"].lower(), headers["connection"].lower()) == (101, "websocket", "upgrade")
    assert headers["sec-websocket-accept"] == accept
    assert not {"sec-websocket-protocol", "sec-websocket-extensions"} & set(headers)


@pytest.mark.parametrize("offered, answered", [
    pytest.param("unknown", None, id="4.2.2 none that we speak"),
    pytest.param("unknown, trestle.plain, trestle.v1", "trestle.plain", id="4.2.2 the first that we speak, one only"),
    pytest.param("TRESTLE.V1", None, id="4.2.2 names keep their case"),
])
def test_subprotocols(bridge, offered, answered):
    status, headers = request(bridge, {"Sec-WebSocket-Protocol": offered})
    assert (status, headers.get("sec-websocket-protocol")) == (101, answered)


def test_4_4_which_version_is_spoken(bridge):
    headers = request(bridge, {"Sec-WebSocket-Version": "9"})[1]
    assert (headers["sec-websocket-version"], headers["upgrade"]) == ("13", "websocket")


def test_4_2_2_a_reason_is_utf8_whatever_was_asked(bridge):
    """7.1.6: the close frame that refuses a query quotes it."""
    for query in (b"topics=%FF", b"topics=a..b%C3", b"format=\xff"):
        with open_socket(bridge.port) as sock:
            lines = [b"GET /?" + query + b" HTTP/1.1", *(f"{name}: {value}".encode() for name, value in HEADERS.items())]
            sock.sendall(b"\r\n".join([*lines, b"", b""]) + CLOSE)
            frame = read_all(sock).split(b"\r\n\r\n", 1)[1]
        assert frame[:1] == b"\x88" and int.from_bytes(frame[2:4], "big") == 4400
        frame[4:].decode()
