"""permessage-deflate: once per event for all clients, and bounded on the way in. RFC 7692 itself: test_conformance_deflate.py."""
import json
import os
import zlib

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from harness.raw import RawWebSocket
from harness.wait import share_of

OFFER = "Sec-WebSocket-Extensions: permessage-deflate"
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


@pytest.mark.parametrize("payload", [deflated(b"\0" * BOMB_BLOCK)[:60_000], deflated(b"x" * 2049)],
                         ids=["bomb", "one byte too many"])
def test_bombs(trestled, raw, connect, payload):
    bridge = trestled({"limits": {"message": "2KiB" if len(payload) < 2048 else "64KiB"}})
    ws = raw(bridge)
    begun = cpu_seconds(bridge)
    ws.send(ws.TEXT, payload, rsv=RSV1)
    assert ws.close_code() == 1009
    assert cpu_seconds(bridge) - begun < 0.5
    assert connect(bridge).request("ping")["success"]


def cpu_seconds(bridge):
    with open(f"/proc/{bridge.pid}/stat") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
