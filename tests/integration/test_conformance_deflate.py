"""RFC 7692, permessage-deflate, against a real trestled, a requirement a case. What compression is for, its cost and its
bombs: test_compression.py."""
import json
import struct
import zlib

import pytest

from harness.bridge import Bridge
from harness.conformance import (ANSWERED, CONTINUATION, GOES_ON, PING, PONG, REQUEST, RSV1, RSV2, TEXT, Peer, close_frame,
                                 frame, message, request_of)

ANSWER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
OFFER = "Sec-WebSocket-Extensions: permessage-deflate"


@pytest.fixture(scope="module")
def bridge(tmp_path_factory):
    bridge = Bridge(tmp_path_factory.mktemp("deflate"), {"limits": {"requests_per_second": 1_000_000}})
    bridge.start()
    yield bridge
    bridge.check_clean_end()


@pytest.fixture
def make_peer(bridge, closing):
    """make_peer(offer, …): each a line of the header; `agreed` is the bridge's answer."""
    def make(*offers):
        peer = closing(Peer(bridge.port, f"/?token={bridge.token}&topics=",
                            headers=["Sec-WebSocket-Extensions: " + offer for offer in offers]))
        peer.agreed = next((line.split(": ", 1)[1] for line in peer.head.decode().split("\r\n")
                            if line.lower().startswith("sec-websocket-extensions")), None)
        return peer
    return make


@pytest.fixture
def peer(make_peer):
    return make_peer("permessage-deflate")


def deflated(data, level=9, flush=zlib.Z_SYNC_FLUSH, bits=15):
    packer = zlib.compressobj(level, zlib.DEFLATED, -bits)
    return (packer.compress(data) + packer.flush(flush))[:-4 if flush == zlib.Z_SYNC_FLUSH else None]


def packed(data, **options):
    return frame(TEXT, deflated(data, **options), rsv=RSV1)


@pytest.mark.parametrize("offers, answer", [
    pytest.param(["permessage-deflate"], ANSWER, id="7.1 a plain offer"),
    pytest.param(["permessage-deflate; client_max_window_bits"], ANSWER, id="7.1.2.2 client_max_window_bits, a hint"),
    pytest.param(["permessage-deflate; client_max_window_bits=8"], ANSWER, id="7.1.2.2 client_max_window_bits=8"),
    pytest.param(["permessage-deflate; client_max_window_bits=7"], None, id="7.1.2.2 client_max_window_bits=7: declined"),
    pytest.param(["permessage-deflate; client_max_window_bits=16"], None, id="7.1.2.2 client_max_window_bits=16: declined"),
    pytest.param(["permessage-deflate; server_max_window_bits=15"], ANSWER + "; server_max_window_bits=15",
                 id="7.1.2.1 server_max_window_bits=15 is repeated"),
    pytest.param(["permessage-deflate; server_max_window_bits=12"], None, id="7.1.2.1 server_max_window_bits=12: declined"),
    pytest.param(["permessage-deflate; server_max_window_bits"], None, id="7.1.2.1 server_max_window_bits without a value"),
    pytest.param(["permessage-deflate; server_max_window_bits=015"], None, id="7.1.2.1 a leading zero"),
    pytest.param(["permessage-deflate; server_no_context_takeover; client_no_context_takeover"], ANSWER,
                 id="7.1.1 no context takeover, both ways"),
    pytest.param(["permessage-deflate; client_no_context_takeover=1"], None, id="7.1.1 no context takeover with a value"),
    pytest.param(["permessage-deflate; client_no_context_takeover; client_no_context_takeover"], None,
                 id="7.1 a parameter twice: declined"),
    pytest.param(["permessage-deflate; nonsense, permessage-deflate"], ANSWER, id="5.1 the next offer, if the first can't be"),
    pytest.param(["permessage-deflate; server_max_window_bits=12", "permessage-deflate"], ANSWER, id="5.1 the next line"),
    pytest.param(["x-other, permessage-deflate"], ANSWER, id="5 another extension before it"),
    pytest.param(["x-other"], None, id="5 another extension alone"),
    pytest.param(["permessage-deflate; \""], None, id="5 an offer that is none"),
    pytest.param([], None, id="5 no offer"),
])
def test_the_answer_to_an_offer(make_peer, offers, answer):
    peer = make_peer(*offers)
    assert peer.agreed == answer
    assert peer.heard(frame(TEXT, REQUEST)) == [ANSWERED, GOES_ON]


def in_fragments(*parts):
    return message(*parts, rsv=RSV1)


WHOLE = deflated(REQUEST)
STORED = b"\x00" + struct.pack("<HH", len(REQUEST), len(REQUEST) ^ 0xFFFF) + REQUEST + b"\x00"

MESSAGES = [
    *[pytest.param([data], [ANSWERED], id=name) for name, data in (
        ("6 a compressed message", packed(REQUEST)),
        ("6 a plain message, though agreed", frame(TEXT, REQUEST)),
        ("7.2.1 at level 1", packed(REQUEST, level=1)),
        ("7.2.1 with a window of 512 bytes", packed(request_of(5000), bits=9)),
        ("7.2.3.3 a stored block", frame(TEXT, STORED, rsv=RSV1)),
        ("7.2.3.4 a block with BFINAL", frame(TEXT, deflated(REQUEST, flush=zlib.Z_FINISH) + b"\x00", rsv=RSV1)),
        ("7.2.3.5 two blocks", frame(TEXT, deflated(REQUEST[:9]) + b"\x00\x00\xff\xff" + deflated(REQUEST[9:]), rsv=RSV1)),
        ("6.1 a pong with a plain payload after it", packed(REQUEST) + frame(PONG, b"p")),
    )],
    pytest.param([in_fragments(WHOLE[:5], WHOLE[5:]) * 3], [ANSWERED] * 3, id="6.1 fragments, RSV1 on the first"),
    *[pytest.param([in_fragments(WHOLE[:at], WHOLE[at:])], [ANSWERED], id=f"6.2 cut at byte {at}")
      for at in range(len(WHOLE) + 1)],
    pytest.param([message(WHOLE[:5], WHOLE[5:], rsv=RSV1, between=frame(PING, b"p"))], [("pong", b"p"), ANSWERED],
                 id="6.1 a plain ping in between"),
    pytest.param([packed(REQUEST) * 2], [ANSWERED, ANSWERED], id="7.1.1.2 each message by itself: no context is kept"),
    pytest.param([frame(TEXT, b"\x00", rsv=RSV1)], ["error"], id="7.2.3.6 an empty message is one byte 0"),
]


@pytest.mark.parametrize("frames, heard", MESSAGES)
def test_messages(peer, frames, heard):
    assert peer.heard(*frames) == [*heard, GOES_ON]


def with_context():
    """The second message of a compressor that goes on with the first one's context."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packer.compress(REQUEST)
    packer.flush(zlib.Z_SYNC_FLUSH)
    return frame(TEXT, (packer.compress(REQUEST) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4], rsv=RSV1)


@pytest.mark.parametrize("frames, code", [
    pytest.param([message(b'{"type":', b'"ping"}', rsv_after=RSV1)], 1002, id="6.1 RSV1 on a continuation"),
    pytest.param([message(WHOLE[:5], WHOLE[5:], rsv=RSV1, rsv_after=RSV1)], 1002,
                 id="6.1 RSV1 on a continuation of a compressed message"),
    pytest.param([frame(PING, b"p", rsv=RSV1)], 1002, id="6.1 RSV1 on a ping"),
    pytest.param([frame(PONG, b"p", rsv=RSV1)], 1002, id="6.1 RSV1 on a pong"),
    pytest.param([b"\xc8" + close_frame(1000)[1:]], 1002, id="6.1 RSV1 on a close"),
    pytest.param([frame(TEXT, REQUEST, rsv=RSV2)], 1002, id="6 RSV2 stays reserved"),
    pytest.param([frame(TEXT, WHOLE, rsv=RSV1 | RSV2)], 1002, id="6 RSV2 beside RSV1"),
    pytest.param([frame(TEXT, b"\xff" * 100, rsv=RSV1)], 1007, id="7.2.2 no DEFLATE data"),
    pytest.param([frame(TEXT, WHOLE[:-3], rsv=RSV1)], 1007, id="7.2.2 DEFLATE data that is cut"),
    pytest.param([frame(TEXT, b"", rsv=RSV1)], 1007, id="7.2.3.6 an empty payload is not an empty message"),
    pytest.param([packed(b'{"type":"ping","id":"\xff"}')], 1007, id="RFC 6455 8.1 not UTF-8 once inflated"),
    pytest.param([with_context()], 1007, id="7.1.1.2 a context that was agreed not to be"),
])
def test_failures(peer, frames, code):
    assert peer.heard(*frames) == [code, "end"]


def test_6_rsv1_without_an_agreement(make_peer):
    assert make_peer().heard(packed(REQUEST)) == [1002, "end"]


def test_7_1_1_1_each_message_of_the_server_inflates_by_itself(bridge, closing, publisher):
    peer = closing(Peer(bridge.port, f"/?token={bridge.token}&topics=note", headers=[OFFER]))
    assert peer.heard() == [GOES_ON]
    source = publisher(bridge)
    for n in range(3):
        event = {"type": "note", "n": n, "pad": "the same words again " * 100}
        source.event(event)
        first, payload = peer.frame()
        assert first == 0x80 | RSV1 | TEXT
        assert json.loads(zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff"))["data"] == event
