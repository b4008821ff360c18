"""Whatever producers get wrong is counted by reason, and nothing of it reaches a client."""
import json
import time

import pytest

from harness.producer import encoded, now_us, stamp
from harness.tokens import tokens
from harness.wait import TIMEOUT, eventually

LIMIT = 2**53


def nested(levels):
    """An event that is `levels` deep; its own object is the first."""
    return '{"type":"deep","a":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def sized(size):
    return '{"type":"big","pad":"' + "x" * (size - 23) + '"}'


GOOD = encoded({"type": "fence"})
STAMP = stamp(now_us(), 1)
# (reason, frames)
BAD_MESSAGES = [
    ("frame_count", [b"fence", b"worker", GOOD]),
    ("frame_count", [b"fence", b"worker", STAMP, GOOD, b""]),
    ("bad_producer", [b"", b"no spaces", STAMP, GOOD]),
    ("bad_producer", [b"", b"", STAMP, GOOD]),
    ("bad_producer", [b"", b"x" * 65, STAMP, GOOD]),
    ("bad_stamp", [b"", b"worker", STAMP[:23], GOOD]),
    ("bad_stamp", [b"", b"worker", STAMP + b"\0", GOOD]),
    ("bad_stamp", [b"", b"worker", b"", GOOD]),
    ("bad_stamp", [b"", b"worker", stamp(now_us(), 0), GOOD]),
    ("bad_stamp", [b"", b"worker", stamp(0, 1), GOOD]),
    ("bad_stamp", [b"", b"worker", stamp(now_us(), LIMIT), GOOD]),
    ("bad_stamp", [b"", b"worker", stamp(LIMIT, 1), GOOD]),
    ("too_big", [sized(512 * 1024 + 1).encode()]),
    ("too_big", [b"big", sized(1024 * 1024).encode()]),
    ("invalid_utf8", [b'{"type":"a","b":"\xff"}']),
    ("invalid_utf8", [b'{"type":"a","b":"\xc0\xaf"}']),
    ("invalid_utf8", [b'{"type":"a","b":"\xed\xa0\x80"}']),
    ("not_json", [b""]),
    ("not_json", [b"{"]),
    ("not_json", [b"not json"]),
    ("not_json", [b'{"type":"a"} x']),
    ("not_json", [b'{"type":"a"}\0']),
    ("not_json", [b'{"type":"a",}']),
    ("not_json", [b"{'type':'a'}"]),
    ("not_json", [b'{"type":"a","n":NaN}']),
    ("not_json", [b'{"type":"a","n":01}']),
    ("not_json", [b'{"type":"a"}{"type":"b"}']),
    ("not_json", [b'/* c */{"type":"a"}']),
    ("not_object", [b"[]"]),
    ("not_object", [b'"type"']),
    ("not_object", [b"null"]),
    ("not_object", [b"17"]),
    ("too_deep", [nested(65).encode()]),
    ("too_deep", [nested(100).encode()]),
    ("too_deep", [nested(200_000).encode()]),
    ("no_type", [b"{}"]),
    ("no_type", [b'{"Type":"a"}']),
    ("no_type", [b'{"type":7}']),
    ("no_type", [b'{"type":null}']),
    ("no_type", [b'{"data":{"type":"a"}}']),
    ("duplicate_member", [b'{"type":"a","type":"a"}']),
    ("duplicate_member", [b'{"type":"a","\\u0074ype":"b"}']),
    ("duplicate_member", [b'{"type":"command-progress","id":"1","id":"2"}']),
    ("duplicate_member", [b'{"type":"task-finished","taskConfig":{"id":"1"},"taskConfig":{"id":"2"}}']),
    ("bad_topic", [b"fence..a", GOOD]),
    ("bad_topic", [b"fence.", GOOD]),
    ("bad_topic", [b"fence.a b", GOOD]),
    ("bad_topic", [b"fence.*", GOOD]),
    ("bad_topic", [b"fence.%2e", GOOD]),
    ("bad_topic", [b"fence.%41", GOOD]),
    ("bad_topic", [b"fence." + b"x" * 250, GOOD]),
    ("bad_topic", [b'{"type":""}']),
    ("bad_topic", [b'{"type":"a..b"}']),
    ("bad_topic", [encoded({"type": "x" * 256})]),
    ("topic_mismatch", [b"other", GOOD]),
    ("topic_mismatch", [b"fence2", GOOD]),
    ("topic_mismatch", [b"fenc", GOOD]),
    ("reserved", [b"$sys.health", GOOD]),
    ("reserved", [b'{"type":"$sys.producer","id":"x"}']),
    ("reserved", [b"$sys.producer.x", b'{"type":"$sys.producer","id":"x"}']),
    *(("reserved", [encoded({"type": kind})]) for kind in ("welcome", "live", "gap", "cursor", "drain")),
]


def name_case(value):
    return value if isinstance(value, str) else "+".join(repr(frame[:24])[2:-1] for frame in value)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One bridge for all the cases that differ only in what is sent."""
    from harness.bridge import Bridge
    bridge = Bridge(tmp_path_factory.mktemp("rejections")).start()
    yield bridge
    bridge.check_clean_end()


@pytest.mark.parametrize("reason, frames", BAD_MESSAGES, ids=name_case)
def test_a_bad_message_is_counted_and_not_forwarded(served, publisher, connect, reason, frames):
    client, source = connect(served, format="bare"), publisher(served)
    before = served.rejections()
    source.frames(*frames)
    source.frames(GOOD)
    assert client.text().encode() == GOOD
    after = served.rejections()
    changed = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert changed == {reason: 1}


@pytest.mark.parametrize("payload", [nested(64), sized(512 * 1024)], ids=["64 levels", "512 KiB"])
def test_what_is_just_inside_the_limits_is_forwarded(served, publisher, connect, payload):
    client = connect(served, format="bare")
    publisher(served).event(payload)
    assert client.text() == payload


def test_the_size_limit_is_a_setting(trestled, publisher, connect):
    bridge = trestled({"ingest": {"max_event": "1KiB"}})
    client, source = connect(bridge, format="bare"), publisher(bridge)
    source.event(sized(1025))
    source.event(sized(1024))
    assert len(client.text()) == 1024
    assert bridge.rejections()["too_big"] == 1


def test_a_sequenced_event_that_is_refused_holds_up_nobody(bridge, sequenced, connect):
    """It would be refused again, so it is not asked for: its seq is named lost, to clients and to its producer."""
    client, worker = connect(bridge, meta=1), sequenced(bridge)
    client.until("live")
    worker.event({"type": "step", "n": 1})
    worker.event(b"no JSON")
    worker.event({"type": "step", "n": 2})
    assert client.until("step")["data"]["n"] == 1
    gap = client.until("gap")["data"]
    assert (gap["reason"], gap["producer"], gap["seq_from"], gap["seq_to"]) == ("lost", "worker-1", 2, 2)
    assert client.until("step")["data"]["n"] == 2
    lost = []
    while True:
        ack = worker.control.receive("ack")
        lost += ack["lost"]
        if ack["seq"] == 3:
            break
    assert [2, 2] in lost
    assert bridge.rejections()["not_json"] == 1


def test_what_producers_send_by_default_is_refused_at_its_place_however_small_max_event_is(trestled, sequenced, connect):
    """trestle::Producer and trestle pub take events up to 512 KiB. Cut off, such a one would be sent again for ever."""
    bridge = trestled({"ingest": {"max_event": "1KiB"}})
    client, worker = connect(bridge, meta=1), sequenced(bridge)
    client.until("live")
    worker.event({"type": "step", "n": 1})
    worker.event(sized(512 * 1024))
    worker.event({"type": "step", "n": 3})
    assert client.until("step")["data"]["n"] == 1
    gap = client.until("gap")["data"]
    assert (gap["reason"], gap["seq_from"], gap["seq_to"]) == ("lost", 2, 2)
    assert client.until("step")["data"]["n"] == 3
    assert bridge.rejections()["too_big"] == 1


def test_a_producer_that_lets_go_of_an_event_that_is_cut_off_goes_on(bridge, sequenced, connect):
    client, worker = connect(bridge, meta=1), sequenced(bridge)
    client.until("live")
    worker.event(sized(3 * 2**20))
    worker.publisher.wait_subscribed()                              # again: the connection was cut
    worker.beat()
    assert worker.control.receive("replay")["from"] == 1
    worker.control.send("gone", **{"from": 1, "to": 1})
    worker.event({"type": "step", "n": 2})
    gap = client.until("gap")["data"]
    assert (gap["reason"], gap["seq_from"], gap["seq_to"]) == ("lost", 1, 1)
    assert client.until("step")["data"]["n"] == 2


@pytest.mark.parametrize("when", [0, LIMIT, 2**64 - 1])
def test_a_stamp_of_which_only_the_time_is_bad_is_refused_at_its_place(bridge, sequenced, connect, when):
    """Asked for again it would be the same again, and the producer would never be rid of it."""
    client, worker = connect(bridge, meta=1), sequenced(bridge)
    client.until("live")
    worker.event({"type": "step", "n": 1})
    worker.event({"type": "step", "n": 2}, when=when)
    worker.event({"type": "step", "n": 3})
    assert client.until("step")["data"]["n"] == 1
    gap = client.until("gap")["data"]
    assert (gap["reason"], gap["producer"], gap["seq_from"], gap["seq_to"]) == ("lost", "worker-1", 2, 2)
    assert client.until("step")["data"]["n"] == 3
    worker.control.wait_ack(3)
    assert bridge.rejections()["bad_stamp"] == 1


def test_a_seq_that_goes_backwards(bridge, sequenced, connect):
    client, worker = connect(bridge), sequenced(bridge)
    for n in (1, 2):
        worker.event({"type": "step", "n": n})
    worker.publisher.sequenced("worker-1", worker.epoch, 1, {"type": "step", "n": "again"})
    worker.event({"type": "step", "n": 3})
    assert [client.data()["n"] for _ in range(3)] == [1, 2, 3]
    assert bridge.rejections()["seq_backwards"] == 1


def test_an_epoch_that_is_over(bridge, sequenced, control, connect):
    client, worker = connect(bridge), sequenced(bridge)
    worker.event({"type": "step", "n": 1})
    assert client.data()["n"] == 1
    worker.control.send("bye", last=1)
    bridge.wait_status(lambda status: status["producers"][0]["state"] == "gone", "the bye to arrive")
    again = control(bridge, "worker-1", epoch=worker.epoch + 1)
    again.hello()
    again.receive("welcome")
    worker.publisher.sequenced("worker-1", worker.epoch, 2, {"type": "step", "n": "old"})
    worker.publisher.sequenced("worker-1", worker.epoch + 1, 1, {"type": "step", "n": 2})
    assert client.data()["n"] == 2
    assert bridge.rejections()["old_epoch"] == 1


def test_a_seq_far_ahead_of_everything(bridge, sequenced, publisher, connect):
    client, worker = connect(bridge), sequenced(bridge)
    worker.publisher.sequenced("worker-1", worker.epoch, 20_000_000, {"type": "step", "n": "far"})
    worker.event({"type": "step", "n": 1})
    assert client.data()["n"] == 1
    assert bridge.rejections()["seq_range"] == 1


def test_a_sequenced_producer_that_never_says_hello(bridge, publisher, connect):
    client, source = connect(bridge), publisher(bridge)
    source.sequenced("stranger", now_us(), 1, {"type": "step"})
    eventually(lambda: bridge.rejections().get("unknown_producer") == 1, "the stranger's event given up", 2 + TIMEOUT)
    source.frames(GOOD)
    assert client.data()["type"] == "fence"


@pytest.mark.parametrize("frames", [
    [b"not json"], [b"[]"], [b"{}"], [b""],
    [b'{"type":"dance","v":1,"producer":"worker-1","epoch":1}'],
    [b'{"type":"hello","v":1,"producer":"no spaces","epoch":1,"first":1,"last":0,"acked":0}'],
    [b'{"type":"hello","v":2,"producer":"worker-1","epoch":1,"first":1,"last":0,"acked":0}'],
    [b'{"type":"hello","v":1,"producer":"worker-1","epoch":1,"first":5,"last":1,"acked":0}'],
    [b'{"type":"beat","v":1,"producer":"worker-1","epoch":1}'],
    [b'{"type":"beat","v":1,"producer":"worker-1","epoch":-1,"first":1,"last":0}'],
    [b'{"type":"hello"}', b"and another"],
], ids=name_case)
def test_a_bad_control_message(served, control, frames):
    before = served.rejections().get("bad_control", 0)
    worker = control(served)
    worker.raw(*frames)
    eventually(lambda: served.rejections().get("bad_control", 0) == before + 1, "bad_control counted")
    worker.hello()
    worker.receive("welcome")
    worker.send("bye", last=0)


def test_one_log_line_a_second_for_each_reason(bridge, publisher, connect):
    source, client = publisher(bridge), connect(bridge)
    begun, sent = time.monotonic(), 0
    while time.monotonic() - begun < 2.5:
        for _ in range(50):
            source.frames(b"not json")
            source.frames(b"[]")
            sent += 1
        time.sleep(0.01)                                            # a steady stream of nonsense, not a race
    source.frames(GOOD)
    client.text()
    assert bridge.rejections()["not_json"] == bridge.rejections()["not_object"] == sent
    for reason in ("not_json", "not_object"):
        lines = [line for line in bridge.logs() if reason in json.dumps(line)]
        assert 2 <= len(lines) <= 2 + int(time.monotonic() - begun), lines


def test_rejections_are_published_for_those_who_may_see_them(trestled, publisher, connect):
    text, (admin,) = tokens({"name": "operator", "scopes": ["admin"]})
    bridge = trestled({"auth": {"token": None}}, files={"tokens.yaml": text})
    client = connect(bridge, token=admin, topics="$sys.rejected")
    publisher(bridge).frames(b"not json")
    report = client.data()
    assert report["type"] == "$sys.rejected" and report["reason"] == "not_json"
    assert report["count"] == 1 and report["total"] == 1
