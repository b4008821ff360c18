"""permessage-deflate (RFC 7692): agreed on, once per event for all clients, bounded and checked on the way in."""
import json
import os
import time
import zlib

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from harness.raw import RawWebSocket
from harness.wait import share_of

OFFER = "Sec-WebSocket-Extensions: permessage-deflate"
ANSWER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
RSV1 = 0x40
BIG = {"type": "note", "pad": "the same words again and again " * 150}
BOMB_BLOCK = 100 * 1024 * 1024


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflated(data):
    unpacker = zlib.decompressobj(-15)
    return unpacker.decompress(data + b"\x00\x00\xff\xff")


@pytest.fixture
def raw(closing):
    """raw(bridge, offer): a client that has got its 101; `agreed` is the bridge's answer to the offer."""
    def make(bridge, offer=OFFER, **query):
        ws = closing(RawWebSocket(bridge.port, bridge.ws_url(**query).split(str(bridge.port), 1)[1],
                                  headers=[offer] if offer else []))
        ws.agreed = next((line.split(": ", 1)[1] for line in ws.head.decode().split("\r\n")
                          if line.lower().startswith("sec-websocket-extensions")), None)
        return ws
    return make


def compressed(ws):
    """Whether the next text frame was compressed, and its data."""
    while True:
        first, payload = ws.frame()
        if first & 0x0F == ws.TEXT:
            return bool(first & RSV1), json.loads(inflated(payload) if first & RSV1 else payload)


@pytest.mark.parametrize("offer, answer", [
    ("permessage-deflate; client_max_window_bits", ANSWER),
    ("permessage-deflate; server_max_window_bits=15", ANSWER + "; server_max_window_bits=15"),
    ("permessage-deflate; server_max_window_bits=12", None),
    ("permessage-deflate; server_max_window_bits=12, permessage-deflate", ANSWER),
    ("permessage-deflate; nonsense, permessage-deflate", ANSWER),
    ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", None),
    ("permessage-deflate; \"", None),
    ("x-other", None),
    (None, None),
])
def test_the_answer_to_an_offer(bridge, raw, offer, answer):
    ws = raw(bridge, offer and "Sec-WebSocket-Extensions: " + offer)
    assert ws.agreed == answer
    ws.send(ws.TEXT, b'{"type":"ping","id":1}')
    assert compressed(ws)[1]["data"]["type"] == "pong"


def test_big_events_are_compressed_and_small_ones_not(bridge, publisher, raw):
    plain, packed, source = raw(bridge, None), raw(bridge), publisher(bridge)
    bridge.wait_status(lambda status: status["sessions_total"] == 2, "both clients")
    for event in ({"type": "small", "pad": "x" * 500}, BIG, {"type": "small", "pad": "x" * 900}):
        source.event(event)
        assert compressed(packed) == (event is BIG, {"success": True, "data": event})
        assert compressed(plain) == (False, {"success": True, "data": event})


def test_switched_off(trestled, publisher, raw):
    bridge = trestled({"compression": {"enabled": False}})
    ws, source = raw(bridge), publisher(bridge)
    assert ws.agreed is None
    source.event(BIG)
    assert compressed(ws) == (False, {"success": True, "data": BIG})


def test_the_size_from_which_on(trestled, publisher, raw):
    bridge = trestled({"compression": {"min_size": "200B"}})
    ws, source = raw(bridge, format="bare"), publisher(bridge)
    bridge.wait_status(lambda status: status["sessions"][0]["deflate"] is True, "a client that takes compressed messages")
    for size, expected in ((199, False), (200, True)):
        event = {"type": "note", "pad": ""}
        event["pad"] = "y" * (size - len(json.dumps(event)))
        assert len(json.dumps(event)) == size
        source.event(event)
        assert compressed(ws) == (expected, event)


def test_once_per_event_for_a_thousand_clients(trestled, publisher, raw):
    bridge = trestled({"shards": 1})
    count, events = share_of(1000, least=50), 20
    clients = [raw(bridge) for _ in range(count)]
    source = publisher(bridge)
    for n in range(events):
        source.event({**BIG, "n": n})
    sizes = set()
    for ws in clients:
        for n in range(events):
            first, payload = ws.frame()
            assert first == 0xC1
            sizes.add(len(payload))
            assert json.loads(inflated(payload))["data"]["n"] == n
    counters = bridge.status()["counters"]
    assert counters["deflated"] == events
    assert counters["deflate_saved"] > count * events * (len(json.dumps(BIG)) - max(sizes))


def test_each_form_once(trestled, publisher, raw):
    bridge = trestled({"shards": 1})
    clients = [raw(bridge, **query) for query in ({"format": "bare"}, {}, {"meta": 1}, {}, {"topics": "note"}, {"meta": 1})]
    raw(bridge, None)
    bridge.wait_status(lambda status: status["sessions_total"] == 7, "all clients")
    publisher(bridge).event(BIG)
    for ws in clients:
        packed, envelope = compressed(ws)
        while not packed:                                           # the notices of meta sessions
            packed, envelope = compressed(ws)
        assert envelope.get("data", envelope) == BIG
    assert bridge.status()["counters"]["deflated"] == 3


def test_a_client_library_both_ways(bridge, connect, publisher):
    client = connect(bridge.ws_url(meta=1), extensions=[ClientPerMessageDeflateFactory()])
    source = publisher(bridge)
    client.until("live")
    source.event(BIG)
    assert client.until("note")["data"] == BIG
    topics = [f"some-topic-{n}" for n in range(50)]
    assert set(topics) <= set(client.request("subscribe", topics=topics)["data"]["topics"])
    assert bridge.status()["counters"]["deflated"] == 1


def test_a_compressed_request_in_fragments(bridge, raw):
    ws = raw(bridge)
    body = deflated(b'{"type":"ping","id":"in pieces"}')
    for cut in range(len(body) + 1):
        ws.send(ws.TEXT, body[:cut], fin=False, rsv=RSV1)
        ws.send(ws.PING, b"between")
        ws.send(0, body[cut:])
        assert ws.next(ws.PONG) == b"between"
        assert json.loads(ws.next(ws.TEXT))["data"]["id"] == "in pieces"
        if cut % 20 == 19:                                          # 50 requests a second are allowed
            time.sleep(1)


@pytest.mark.parametrize("payload, code", [
    (deflated(b"\0" * BOMB_BLOCK)[:60_000], 1009),
    (deflated(b"x" * 2049), 1009),
    (b"\xff" * 100, 1007),
    (deflated(b'{"type":"ping","id":1}')[:-3], 1007),
    (b"", 1007),
    (deflated(b'{"type":"ping","id":"\xff"}'), 1007),
], ids=["bomb", "one byte too many", "garbage", "cut", "empty", "not UTF-8"])
def test_bad_compressed_messages(trestled, raw, connect, payload, code):
    bridge = trestled({"limits": {"message": "2KiB" if len(payload) < 2048 else "64KiB"}})
    ws = raw(bridge)
    begun = cpu_seconds(bridge)
    ws.send(ws.TEXT, payload, rsv=RSV1)
    assert ws.close_code() == code
    assert cpu_seconds(bridge) - begun < 0.5
    assert connect(bridge).request("ping")["success"]


def cpu_seconds(bridge):
    with open(f"/proc/{bridge.pid}/stat") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("frames", [
    [(0x1, b'{"type":', {"fin": False}), (0x0, b'"ping"}', {"rsv": RSV1})],
    [(0x1, deflated(b'{"type":"ping","id":1}'), {"fin": False, "rsv": RSV1}), (0x0, b"\0", {"rsv": RSV1})],
    [(0x9, b"x", {"rsv": RSV1})],
    [(0x1, b"{}", {"rsv": 0x20})],
    [(0x1, b"{}", {"rsv": 0x60})],
], ids=["continuation", "continuation of a compressed one", "ping", "rsv2", "rsv1 and rsv2"])
def test_reserved_bits_in_the_wrong_place(bridge, raw, frames):
    ws = raw(bridge)
    for opcode, payload, options in frames:
        ws.send(opcode, payload, **options)
    assert ws.close_code() == 1002


def test_rsv1_without_an_agreement(bridge, raw):
    ws = raw(bridge, None)
    ws.send(ws.TEXT, deflated(b'{"type":"ping","id":1}'), rsv=RSV1)
    assert ws.close_code() == 1002
