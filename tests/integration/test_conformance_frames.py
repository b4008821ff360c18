"""RFC 6455 sections 5, 7 and 8 against a real trestled, a requirement a case: its section is in the case's name. The same
rules one level lower, cut at every byte: tests/unit/bridge/front/websocket_test.cpp; under load: test_frames.py."""
import pytest

from harness.bridge import Bridge
from harness.conformance import (ANSWERED, BINARY, CLOSE, CONTINUATION, GOES_ON, PING, PONG, REQUEST, RSV1, RSV2, RSV3, TEXT,
                                 Peer, close_frame, frame, message, request_of)
from harness.wait import eventually

LIMIT = 128 * 1024


@pytest.fixture(scope="module")
def bridge(tmp_path_factory):
    bridge = Bridge(tmp_path_factory.mktemp("conformance"), {"limits": {"message": f"{LIMIT}B", "requests_per_second": 1_000_000}})
    bridge.start()
    yield bridge
    bridge.check_clean_end()


@pytest.fixture
def peer(bridge, closing):
    """One that gets no events."""
    return closing(Peer(bridge.port, f"/?token={bridge.token}&topics="))


def case(name, heard, *frames):
    """`frames`, and a request after them, are answered by these words."""
    return pytest.param(frames, heard, id=name)


def goes_on(name, *frames, before=()):
    return case(name, [*before, GOES_ON], *frames)


def fails(name, code, *frames):
    """The connection is failed (7.1.7): one close frame with the code, then its end; what came after is not looked at."""
    return case(name, [code, "end"], *frames)


def cut(payload, at):
    return payload[:at], payload[at:]


CONTROL = {"close": CLOSE, "ping": PING, "pong": PONG}

FRAMING = [
    goes_on("5.1 a masked frame", frame(TEXT, REQUEST), before=[ANSWERED]),
    fails("5.1 a frame without a mask", 1002, frame(TEXT, REQUEST, key=b"")),
    fails("5.1 a ping without a mask", 1002, frame(PING, b"", key=b"")),
    goes_on("5.3 a mask of zeros", frame(TEXT, REQUEST, key=bytes(4)), before=[ANSWERED]),
    goes_on("5.3 a mask of ones", frame(TEXT, REQUEST, key=b"\xff" * 4), before=[ANSWERED]),
    *[fails(f"5.2 {name} without an extension", 1002, frame(TEXT, REQUEST, rsv=bit))
      for name, bit in (("RSV1", RSV1), ("RSV2", RSV2), ("RSV3", RSV3), ("all RSV", RSV1 | RSV2 | RSV3))],
    *[fails(f"5.2 reserved opcode {opcode:#x}", 1002, frame(opcode, b"")) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)],
    goes_on("5.2 a text of 0 bytes", frame(TEXT), before=["error"]),
    *[goes_on(f"5.2 a text of {size} bytes", frame(TEXT, request_of(size)), before=[ANSWERED])
      for size in (125, 126, 127, 65535, 65536, LIMIT)],
    *[fails(f"5.2 {size} bytes with a length of {form} bits", 1002, frame(TEXT, request_of(size), length=form))
      for size, form in ((125, 16), (125, 64), (126, 64), (65535, 64))],
    fails("5.2 a 64-bit length with its top bit", 1002, b"\x81\xff\x80" + bytes(7) + bytes(4)),
    fails("10.4 a length over the limit", 1009, b"\x81\xff" + (LIMIT + 1).to_bytes(8, "big") + bytes(4)),
    fails("10.4 fragments over the limit together", 1009, message(bytes(65536), bytes(65536), b"x")),
    fails("5.6 a binary message", 4400, frame(BINARY, b"\0")),      # allowed, but nothing that Trestle understands (wire B)
]

FRAGMENTS = [
    *[goes_on(f"5.4 {name}", message(*parts), before=[ANSWERED]) for name, parts in (
        ("two fragments", cut(REQUEST, 9)),
        ("an empty first fragment", (b"", REQUEST)),
        ("an empty last fragment", (REQUEST, b"")),
        ("empty fragments in between", (REQUEST[:5], b"", b"", REQUEST[5:])),
        ("a fragment for each byte", [bytes([byte]) for byte in REQUEST]))],
    goes_on("5.4 pings in between", message(REQUEST[:3], REQUEST[3:], between=frame(PING, b"p")),
            before=[("pong", b"p"), ANSWERED]),
    goes_on("5.4 a pong in between", message(REQUEST[:3], REQUEST[3:], between=frame(PONG, b"p")), before=[ANSWERED]),
    case("5.4 a close in between", [1000, "end"], message(REQUEST[:3], REQUEST[3:], between=close_frame(1000))),
    fails("5.4 a continuation of nothing", 1002, frame(CONTINUATION, REQUEST)),
    case("5.4 a continuation after a whole message", [ANSWERED, 1002, "end"], frame(TEXT, REQUEST), frame(CONTINUATION, b"")),
    fails("5.4 a message within a message", 1002, frame(TEXT, b"{", fin=False) + frame(TEXT, REQUEST)),
    fails("5.4 a binary within a text", 1002, frame(TEXT, b"{", fin=False) + frame(BINARY, b"x")),
]

CONTROLS = [
    *[fails(f"5.5 a {name} of 126 bytes", 1002, frame(opcode, b"\x03\xe8" + bytes(124))) for name, opcode in CONTROL.items()],
    *[fails(f"5.5 a fragmented {name}", 1002, frame(opcode, b"\x03\xe8", fin=False)) for name, opcode in CONTROL.items()],
    *[goes_on(f"5.5.2 a ping of {len(payload)} bytes is echoed", frame(PING, payload), before=[("pong", payload)])
      for payload in (b"", b"p", bytes(range(125)), b"\xff" * 125)],
    goes_on("5.5.3 an unsolicited pong", frame(PONG, b"unasked"), frame(PONG)),
]

UTF8 = [
    *[goes_on(f"8.1 characters cut at byte {at}", message(*cut(REQUEST, at)), before=[ANSWERED])
      for at in range(REQUEST.index(b"\xc3"), REQUEST.index(b"\x80\"") + 1)],
    *[fails(f"8.1 {name}", 1007, frame(TEXT, b'"' + bad + b'"')) for name, bad in (
        ("a lone continuation byte", b"\x80"), ("a lead without its continuation", b"\xc3"), ("an overlong slash", b"\xc0\xaf"),
        ("an overlong of three bytes", b"\xe0\x80\xaf"), ("a surrogate", b"\xed\xa0\x80"), ("beyond U+10FFFF", b"\xf4\x90\x80\x80"),
        ("0xfe", b"\xfe"), ("a form of five bytes", b"\xf8\x88\x80\x80\x80"))],
    fails("8.1 a message that ends within a character", 1007, frame(TEXT, b'"\xe2\x82')),
    fails("8.1 a message whose fragments end within a character", 1007, message(b'"\xe2', b"\x82")),
    fails("8.1 a character broken by the next fragment", 1007, message(b'"\xe2', b"x")),
]

CLOSING = [
    *[case(f"7.4 code {code} is echoed", [code, "end"], close_frame(code))
      for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)],
    *[fails(f"7.4 code {code} may not be sent", 1002, close_frame(code))
      for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)],
    case("5.5.1 a close without a code", [1000, "end"], frame(CLOSE)),
    fails("5.5.1 a close of 1 byte", 1002, frame(CLOSE, b"\x03")),
    case("5.5.1 a reason of 123 bytes", [1000, "end"], close_frame(1000, b"r" * 123)),
    fails("5.5.1 a reason that is not UTF-8", 1002, close_frame(1000, b"\xff")),
    case("5.5.1 data after a close is not looked at", [1001, "end"],
         close_frame(1001) + frame(TEXT, REQUEST) + frame(PING, b"p") + frame(TEXT, b"", key=b"")),
    case("5.5.1 a second close is not answered", [1000, "end"], close_frame(1000) + close_frame(4000)),
    case("5.5.1 what came before a close is answered first", [ANSWERED, ("pong", b"p"), 1000, "end"],
         frame(TEXT, REQUEST) + frame(PING, b"p") + close_frame(1000)),
]


@pytest.mark.parametrize("frames, heard", FRAMING + FRAGMENTS + CONTROLS + UTF8 + CLOSING)
def test_rfc6455(peer, frames, heard):
    assert peer.heard(*frames) == heard


@pytest.mark.parametrize("start", [
    pytest.param(frame(TEXT, b'"\xff', fin=False), id="8.1 not UTF-8, the message unfinished: 1007 at once"),
    pytest.param(frame(TEXT, b'"\xed\xa0\x80' + bytes(95))[:40], id="8.1 not UTF-8, the frame unfinished: 1007 at once"),
])
def test_utf8_fails_fast(peer, start):
    assert peer.says(start).hears() == 1007


def test_a_byte_at_a_time(peer):
    """5.2: where TCP cuts the bytes means nothing."""
    for byte in message(REQUEST[:7], REQUEST[7:], between=frame(PING, b"p")) + close_frame(4001, b"bye"):
        peer.says(bytes([byte]))
    assert [peer.hears() for _ in range(4)] == [("pong", b"p"), ANSWERED, 4001, "end"]


def test_7_1_1_the_server_ends_the_connection_first(peer):
    assert peer.says(close_frame(1000)).hears() == 1000
    assert peer.sock.recv(1) == b""


def test_7_2_1_a_connection_that_ends_without_a_close_frame(bridge, peer):
    assert peer.heard() == [GOES_ON]
    count = bridge.status()["sessions_total"]
    peer.close()
    eventually(lambda: bridge.status()["sessions_total"] < count, "the session gone")
