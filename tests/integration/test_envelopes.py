"""What a client receives is the producer's own bytes, in the form it asked for."""
import json
import time

import pytest

from harness.producer import now_us

# Legal JSON that a parser and printer would change: all of it has to arrive as it was sent.
ODD_PAYLOADS = [
    '{"type":"odd","n":1.0,"m":1,"e":1E+2,"z":-0,"big":12345678901234567890123}',
    ' { "type" :\t"odd" ,\r\n "a" : [ 1 , 2 ] } \n',
    '{"type":"odd","escaped":"\\u00e9\\/\\u0000\\ud83d\\ude00","plain":"é/😀\u2028"}',
    '{"a":1,"a":2,"type":"odd","nested":{"type":7,"b":1,"b":2}}',
    '{"\\u0074ype":"odd"}',
    '{"type":"od\\u0064","":null,"success":false,"data":{"type":"other"}}',
]


@pytest.mark.parametrize("payload", ODD_PAYLOADS)
def test_an_envelope_is_two_members_around_the_producers_bytes(bridge, publisher, connect, payload):
    client = connect(bridge)
    publisher(bridge).event(payload)
    assert client.text() == '{"success":true,"data":' + payload + "}"


@pytest.mark.parametrize("payload", ODD_PAYLOADS)
def test_a_bare_event_is_the_producers_bytes(bridge, publisher, connect, payload):
    client = connect(bridge, path="/plugin/ws")
    publisher(bridge).event(payload)
    assert client.text() == payload


@pytest.mark.parametrize("path, query, form", [
    ("/", {}, "envelope"), ("/ws", {}, "envelope"), ("/plugin/ws", {}, "bare"),
    ("/", {"format": "bare"}, "bare"), ("/ws", {"format": "bare"}, "bare"),
    ("/plugin/ws", {"format": "envelope"}, "envelope"), ("/", {"format": "envelope", "meta": "0"}, "envelope"),
])
def test_each_endpoint_has_its_format_and_the_query_may_choose(bridge, publisher, connect, path, query, form):
    client = connect(bridge, path=path, **query)
    publisher(bridge).event({"type": "hello"})
    expected = {"type": "hello"} if form == "bare" else {"success": True, "data": {"type": "hello"}}
    assert client.json() == expected


@pytest.mark.parametrize("path", ["/", "/ws", "/plugin/ws"])
def test_meta_implies_envelopes_and_brings_notices(bridge, publisher, connect, path):
    client = connect(bridge, path=path, meta="1")
    welcome, live = client.json(), client.json()
    assert list(welcome) == list(live) == ["success", "data"]
    assert set(welcome["data"]) == {"type", "epoch", "offset", "session", "heartbeat"}
    assert welcome["data"]["type"] == "welcome" and welcome["data"]["epoch"].isdigit()
    assert set(live["data"]) == {"type", "epoch", "offset"} and live["data"]["type"] == "live"

    before = now_us()
    publisher(bridge).event({"type": "command-progress", "id": "task 1"})
    event = client.json()
    assert list(event) == ["success", "data", "meta"]
    assert set(event["meta"]) == {"topic", "offset", "time"}
    assert event["meta"]["topic"] == "command-progress.task%201"
    assert event["meta"]["offset"] > live["data"]["offset"]
    assert before <= event["meta"]["time"] <= now_us()


def test_the_subprotocol_trestle_v1_asks_for_meta_too(bridge, publisher, connect):
    client = connect(bridge, subprotocols=["trestle.v1"])
    assert client.subprotocol == "trestle.v1"
    client.until("live")
    publisher(bridge).event({"type": "hello"})
    assert client.json()["meta"]["topic"] == "hello"


def test_the_subprotocol_trestle_plain_does_not(bridge, publisher, connect):
    client = connect(bridge, subprotocols=["trestle.plain"])
    assert client.subprotocol == "trestle.plain"
    publisher(bridge).event({"type": "hello"})
    assert client.text() == '{"success":true,"data":{"type": "hello"}}'


def test_offsets_rise_over_all_topics(bridge, publisher, connect):
    client = connect(bridge, meta="1")
    client.until("live")
    source = publisher(bridge)
    for n in range(200):
        source.event({"type": f"kind-{n % 7}", "n": n})
    events = [client.json() for _ in range(200)]
    assert [event["data"]["n"] for event in events] == list(range(200))
    offsets = [event["meta"]["offset"] for event in events]
    assert all(a < b for a, b in zip(offsets, offsets[1:]))


def test_a_sequenced_events_time_is_the_producers(bridge, sequenced, connect):
    client = connect(bridge, meta="1")
    client.until("live")
    made = now_us() - 3_600_000_000
    sequenced(bridge).event({"type": "hello"}, when=made)
    assert client.until("hello")["meta"]["time"] == made


def test_the_same_event_reaches_every_form_at_once(bridge, publisher, connect):
    plain, bare, meta = connect(bridge), connect(bridge, format="bare"), connect(bridge, meta="1")
    meta.until("live")
    payload = json.dumps({"type": "artifact_published", "artifact_type": "Pizza.Large"})
    publisher(bridge).event(payload)
    assert bare.text() == payload
    assert plain.text() == '{"success":true,"data":' + payload + "}"
    envelope = meta.text()
    assert envelope.startswith('{"success":true,"data":' + payload + ',"meta":{')
    assert json.loads(envelope)["meta"]["topic"] == "artifact_published.Pizza%2ELarge"


@pytest.mark.parametrize("size", [60, 125, 126, 127, 65535, 65536, 70000, 512 * 1024])
def test_every_frame_length_is_encoded_right(bridge, publisher, connect, size):
    client = connect(bridge, format="bare")
    payload = '{"type":"filled","pad":"' + "x" * (size - 26) + '"}'
    assert len(payload) == size
    publisher(bridge).event(payload)
    assert client.text() == payload


def test_an_event_arrives_at_once(bridge, publisher, connect):
    client, source = connect(bridge), publisher(bridge)
    source.event({"type": "warm-up"})
    client.text()
    worst = 0.0
    for _ in range(20):
        begun = time.monotonic()
        source.event({"type": "hello"})
        client.text()
        worst = max(worst, time.monotonic() - begun)
    assert worst < 1.0
