"""A client that reads more slowly than events come: what it gets in the end, and what it is told."""
import json

import pytest

from harness.raw import RawWebSocket
from harness.wait import share_of

PAD = "x" * 2000
TOPICS = [{"match": "noise.*", "keep": "none", "under_pressure": "drop", "key": "/k"},
          {"match": "alarm.*", "keep": "none", "key": "/k"},
          {"match": "state.*", "keep": "latest", "key": "/k"},
          {"match": "few.*", "keep": "log", "key": "/k", "retain": {"count": 50}}]
SMALL = {"session": {"queue": "256KiB", "stall": "60s"}, "topics": TOPICS, "shards": 1, "heartbeat": {"enabled": False}}


class Slow:
    """A client that reads only when it is told to."""

    def __init__(self, bridge, closing, **query):
        words = "".join(f"&{name}={value}" for name, value in query.items())
        self._ws = closing(RawWebSocket(bridge.port, f"/?token={bridge.token}{words}", receive_buffer=4096))
        self.offsets, self.gaps, self.closed = [], [], None

    def ask(self, **request):
        self._ws.send(RawWebSocket.TEXT, json.dumps(request).encode())

    def read(self, until):
        """The events' data up to the one that `until` is true of, or up to the close."""
        events = []
        while True:
            first, payload = self._ws.frame()
            if first & 0x0F == RawWebSocket.CLOSE:
                self.closed = int.from_bytes(payload[:2], "big"), payload[2:].decode()
                return events
            envelope = json.loads(payload)
            data = envelope["data"]
            if "meta" in envelope:
                self.offsets.append(envelope["meta"]["offset"])
            elif data["type"] == "gap":
                self._check(data)
                self.gaps.append(data)
                continue
            elif data["type"] in ("welcome", "live", "cursor"):
                continue
            events.append(data)
            if until(data):
                return events


    def _check(self, gap):
        """Whoever is cut off right before a gap must not have passed what it names."""
        if gap["reason"] == "dropped":
            seen = max(self.offsets, default=0)
            assert seen <= gap["offset"] < gap["from"] <= gap["to"], f"{gap} comes after {seen}"


@pytest.fixture
def flood(publisher, connect):
    """flood(bridge, event…): publishes, and returns when the bridge has delivered all of it to a client that reads."""
    def run(bridge, events):
        source, reader = publisher(bridge), connect(bridge)
        for event in events:
            source.event(event)
            reader.data()
    return run


def queued(status):
    """Bytes that wait, for all clients."""
    return sum(session["queued"] for session in status["sessions"])


def pressure(bridge, match):
    return bridge.status()["pressure"].get(match, {})


def is_last(data):
    return data.get("last", False)


@pytest.mark.parametrize("query", [{"meta": 1}, {}])
def test_of_a_latest_topic_the_newest_is_enough(trestled, flood, closing, query):
    bridge = trestled(SMALL)
    slow = Slow(bridge, closing, **query)
    count = share_of(3000, least=1000)
    flood(bridge, [{"type": "state", "k": n % 7, "n": n, "pad": PAD, "last": n == count - 1} for n in range(count)])
    got = slow.read(is_last)
    assert len(got) < count / 2
    assert pressure(bridge, "state.*")["replaced"] == count - len(got)
    assert slow.offsets == sorted(set(slow.offsets))
    numbers = [data["n"] for data in got]
    assert numbers == sorted(set(numbers)) and set(range(count - 7, count)) <= set(numbers)
    assert bridge.status()["counters"]["too_slow"] == 0


def test_what_is_kept_is_read_again_from_the_stream(trestled, flood, closing):
    bridge = trestled(SMALL)
    slow = Slow(bridge, closing, meta=1)
    count = share_of(3000, least=1000)
    flood(bridge, [{"type": "note", "n": n, "pad": PAD} for n in range(count)])
    counters = bridge.status()["counters"]
    assert (counters["catch_ups"], counters["too_slow"]) == (1, 0)
    got = slow.read(lambda data: data["n"] == count - 1)
    assert [data["n"] for data in got] == list(range(count))
    assert slow.offsets == sorted(set(slow.offsets)) and slow.gaps == []
    assert pressure(bridge, ">")["reread"] > 0
    flood(bridge, [{"type": "note", "n": n, "last": n == 2} for n in range(3)])    # and is live again
    assert [data["n"] for data in slow.read(is_last)] == [0, 1, 2]


@pytest.mark.parametrize("before", [True, False], ids=["catch-up after subscribe", "subscribe during catch-up"])
def test_a_catch_up_has_no_live_that_could_be_taken_for_that_of_a_replay(trestled, flood, closing, before):
    """A client may store a cursor once the `live` of its subscribe has come: then it must have everything before."""
    bridge = trestled(SMALL)
    counted, later = share_of(1000, least=500), share_of(1000, least=500)
    flood(bridge, [{"type": "old", "n": n, "pad": PAD} for n in range(counted)])
    slow = closing(RawWebSocket(bridge.port, f"/?token={bridge.token}&meta=1&topics=new", receive_buffer=4096))
    for kind in ("welcome", "live"):
        assert json.loads(slow.next(slow.TEXT))["data"]["type"] == kind
    subscribe = json.dumps({"type": "subscribe", "id": 1, "topics": ["old"], "since": "0"}).encode()
    if before:
        slow.send(slow.TEXT, subscribe)
    flood(bridge, [{"type": "new", "n": n, "pad": PAD} for n in range(later)])
    assert bridge.status()["counters"]["catch_ups"] == 1
    if not before:
        slow.send(slow.TEXT, subscribe)
    seen = {"old": [], "new": []}
    while True:
        data = json.loads(slow.next(slow.TEXT))["data"]
        if data["type"] == "live":
            break
        if data["type"] in seen:
            seen[data["type"]].append(data["n"])
    assert seen["old"] == list(range(counted)) and seen["new"] == list(range(later))


def test_what_the_retention_takes_meanwhile_is_one_gap(trestled, flood, closing):
    bridge = trestled(SMALL)
    slow = Slow(bridge, closing, meta=1, topics="few.*,state.*")
    count = share_of(3000, least=1000)
    flood(bridge, [{"type": "state", "k": "a", "n": -1}] + [{"type": "few", "k": 1, "n": n, "pad": PAD}
                                                             for n in range(count)])
    got = [data["n"] for data in slow.read(lambda data: data["n"] == count - 1)]
    assert [gap["reason"] for gap in slow.gaps] == ["trimmed"]
    missing = slow.gaps[0]
    seen = got.index(-1, 1)                                          # the full snapshot comes after the gap
    assert got[1:seen] == list(range(seen - 1)) and got[seen + 1:] == list(range(count - 50, count))
    assert missing["from"] <= slow.offsets[seen - 1] + 1 and missing["to"] >= slow.offsets[-1] - 50


def test_what_may_be_dropped_is_dropped_with_one_gap(trestled, flood, closing):
    bridge = trestled(SMALL)
    slow = Slow(bridge, closing, meta=1, topics="noise.*,note")
    count = share_of(3000, least=1000)
    flood(bridge, [{"type": "note", "n": -1}] + [{"type": "noise", "k": 1, "n": n, "pad": PAD} for n in range(count)])
    flood(bridge, [{"type": "note", "last": True}])
    got = slow.read(is_last)
    numbers = [data["n"] for data in got[:-1]]
    assert numbers == sorted(set(numbers)) and numbers[0] == -1
    assert [(gap["reason"], gap["topic"]) for gap in slow.gaps] == [("dropped", "noise.1")]
    assert slow.gaps[0]["count"] == count - (len(numbers) - 1) == pressure(bridge, "noise.*")["dropped"]
    assert bridge.status()["counters"]["too_slow"] == 0


@pytest.mark.parametrize("way", ["in the outbox", "while it catches up"])
def test_what_is_dropped_between_others_is_named_in_its_place(trestled, flood, closing, way):
    """A cursor is the newest offset that was read: nothing older may be told of after it."""
    bridge = trestled(SMALL)
    slow = Slow(bridge, closing, meta=1)
    kept = {"type": "note", "pad": PAD} if way == "while it catches up" else {"type": "state", "k": 1}
    count = share_of(3000, least=1000)
    for n in range(count // 10):
        flood(bridge, [{**kept, "n": n}] * 3 + [{"type": "noise", "k": 1, "n": n, "pad": PAD}] * 7)
    flood(bridge, [{"type": "note", "last": True}])
    got = slow.read(is_last)
    assert slow.closed is None
    assert sum(gap["count"] for gap in slow.gaps) == pressure(bridge, "noise.*")["dropped"] > 0
    assert sum(data["type"] == "noise" for data in got) + sum(gap["count"] for gap in slow.gaps) == count // 10 * 7
    assert bridge.status()["counters"]["catch_ups"] == (1 if way == "while it catches up" else 0)
    assert slow.offsets == sorted(set(slow.offsets))


def test_what_nothing_keeps_and_nobody_may_drop_ends_in_4408_with_the_cursor(trestled, flood, closing):
    bridge = trestled(SMALL)
    slow = Slow(bridge, closing, meta=1)
    flood(bridge, [{"type": "alarm", "k": 1, "n": n, "pad": PAD} for n in range(share_of(3000, least=1000))])
    got = slow.read(is_last)
    code, reason = slow.closed
    assert code == 4408
    assert reason == f"cursor={bridge.status()['epoch']}:{slow.offsets[-1]}"
    assert [data["n"] for data in got] == list(range(len(got)))


LATE = {"type": "progress", "k": 7, "n": 99}
BIG = {"type": "progress", "k": 8, "n": 99, "pad": PAD}


@pytest.mark.parametrize("when", ["before the catch-up", "during the catch-up"])
@pytest.mark.parametrize("left_out", [LATE, BIG], ids=["late", "more than is retained"])
def test_what_nothing_keeps_of_a_latest_topic_is_not_lost_untold(trestled, flood, closing, when, left_out):
    """A progress after its task's end is delivered and not kept, though its policy keeps others."""
    progress = {"match": "progress.*", "keep": "latest", "key": "/k", "until": "finished.*", "retain": {"bytes": "1KiB"}}
    bridge = trestled({**SMALL, "topics": [*TOPICS, progress, {"match": "finished.*", "keep": "log", "key": "/k"}]})
    slow = Slow(bridge, closing, meta=1)
    fill = [{"type": "fill", "n": n, "pad": PAD} for n in range(10)]
    flood(bridge, [{"type": "progress", "k": 7, "n": 1}, {"type": "finished", "k": 7}])

    def is_time():
        status = bridge.status()
        if when == "during the catch-up":
            return status["counters"]["catch_ups"] == 1
        return max(session["queued"] for session in status["sessions"]) > 64 * 1024

    while not is_time():
        flood(bridge, fill)
    flood(bridge, [left_out, *fill * 50, {"type": "end", "last": True}])
    seen = slow.read(is_last)
    assert not [data for data in seen if data.get("n") == 99]
    if when == "during the catch-up":
        assert [(gap["reason"], gap["topic"], gap["count"]) for gap in slow.gaps] == [("dropped", f"progress.{left_out['k']}", 1)]
    else:
        assert slow.closed[0] == 4408


def test_without_meta_nothing_is_left_out_but_the_connection_ends(trestled, flood, closing):
    bridge = trestled(SMALL)
    slow = Slow(bridge, closing)
    flood(bridge, [{"type": "note", "n": n, "pad": PAD} for n in range(share_of(3000, least=1000))])
    got = slow.read(is_last)
    assert slow.closed[0] == 4408
    assert [data["n"] for data in got] == list(range(len(got)))


def test_a_client_that_never_reads_is_closed_while_it_should_catch_up(trestled, flood, closing):
    bridge = trestled(SMALL | {"session": {"queue": "256KiB", "stall": "500ms"}})
    Slow(bridge, closing, meta=1)
    flood(bridge, [{"type": "note", "n": n, "pad": PAD} for n in range(share_of(1500, least=1000))])
    bridge.wait_status(lambda status: status["counters"]["too_slow"] == 1, "the one that does not read closed")
    assert bridge.status()["counters"]["catch_ups"] <= 1


@pytest.mark.parametrize("query", [{}, {"meta": 1}, {"meta": 1, "since": 0}])
def test_requests_are_answered_behind_an_event_that_is_more_than_the_queue(trestled, flood, closing, query):
    bridge = trestled(SMALL)
    big = {"type": "note", "pad": "x" * 480_000}
    if "since" in query:
        flood(bridge, [big])
    slow = Slow(bridge, closing, **query)
    if "since" not in query:
        flood(bridge, [big])
    bridge.wait_status(lambda status: queued(status) > 256 * 1024, "the event waiting")
    for number in range(3):
        before = queued(bridge.status())
        slow.ask(type="ping", id=number)
        bridge.wait_status(lambda status: queued(status) != before, "what was asked for being taken up")
    seen = slow.read(lambda data: data.get("id") == 2)
    assert [data["type"] for data in seen] == ["note", "pong", "pong", "pong"], slow.closed


def test_requests_are_answered_behind_a_replay_also_with_the_smallest_queue(trestled, flood, closing):
    """A piece of the replay leaves them half of it."""
    bridge = trestled(SMALL | {"session": {"queue": "64KiB", "stall": "60s"}})
    count, asked = 70, 120
    flood(bridge, [{"type": "note", "n": n, "pad": "x" * 30_000} for n in range(count)])
    clients = [Slow(bridge, closing, meta=1, since=0, topics="note") for _ in range(8)]
    bridge.wait_status(lambda status: sum(session["queued"] > 0 for session in status["sessions"]) == len(clients), "all waiting")
    before = queued(bridge.status())
    for slow in clients:
        for number in range(asked):
            slow.ask(type="ping", id=number)
    answers = len(clients) * asked * len('{"success":true,"data":{"type":"pong","id":0,"time":0}}')
    bridge.wait_status(lambda status: status["counters"]["too_slow"] or queued(status) >= before + answers, "the answers waiting")
    for slow in clients:
        seen = slow.read(lambda data: data.get("n") == count - 1)
        assert slow.closed is None
        assert [data["n"] for data in seen if data["type"] == "note"] == list(range(count))


@pytest.mark.parametrize("cut_every", [None, 3])
def test_text_that_is_merged_is_all_there_also_across_cuts(trestled, publisher, connect, closing, cut_every):
    """Small pieces of text for a client that reads a little now and then, and is cut off in between."""
    bridge = trestled(SMALL)
    source, reader = publisher(bridge), connect(bridge)
    rounds, pieces = share_of(40, least=8), 100
    cursor, epoch = None, None
    text = {1: "", 2: ""}
    slow = None
    published = 0

    def take(count):
        """Reads `count` events and keeps the cursor by the rules; the text must join without a seam."""
        nonlocal cursor
        for _ in range(count):
            data = slow.read(lambda data: True)[0]
            text[data["run_id"]] += data["content"]
            cursor = f"{epoch}:{slow.offsets[-1]}"

    epoch = bridge.status()["epoch"]
    cursor = f"{epoch}:0"
    for number in range(rounds):
        if slow is None:
            slow = Slow(bridge, closing, meta=1, since=cursor)
        for _ in range(pieces):
            run = 1 + (published // 5) % 2
            source.event({"type": "streaming_output", "agent_id": "a", "run_id": run,
                          "content": f"{published} \u00e9\"" + "." * 100 + "|", "pad": PAD})
            published += 1
            reader.data()
        take(3)
        if cut_every and number % cut_every == 0:
            slow._ws.close()
            slow = None
    source.event({"type": "streaming_output", "agent_id": "a", "run_id": 1, "content": "end"})
    slow = slow or Slow(bridge, closing, meta=1, since=cursor)
    while not text[1].endswith("end"):
        take(1)
    whole = {run: "".join(f"{n} \u00e9\"" + "." * 100 + "|" for n in range(published) if 1 + (n // 5) % 2 == run)
             for run in (1, 2)}
    assert text == {1: whole[1] + "end", 2: whole[2]}
    assert slow.gaps == []
    if not cut_every:
        assert pressure(bridge, "streaming_output.*")["merged"] > 0


@pytest.mark.parametrize("turns", [[{}, {"run_id": None}, {"run_id": True}, {"run_id": False}],
                                   [{"run_id": {"n": 1}}, {"run_id": {"n": 2}}, {"run_id": [1]}, {"run_id": [2]}]],
                         ids=["literals and none", "objects and arrays"])
def test_text_joins_only_that_of_the_same_run_whatever_names_the_run(trestled, flood, closing, turns):
    bridge = trestled(SMALL)
    slow = Slow(bridge, closing, meta=1)
    count = share_of(3000, least=1000)
    base = {"type": "streaming_output", "agent_id": "a", "pad": PAD}
    runs = [turns[n // 2 % len(turns)] for n in range(count)]
    flood(bridge, [{**base, **run, "content": f"{n}."} for n, run in enumerate(runs)] + [{"type": "end", "last": True}])
    text, wanted = {}, {}
    for data in slow.read(is_last)[:-1]:
        run = json.dumps({name: data[name] for name in data if name == "run_id"})
        text[run] = text.get(run, "") + data["content"]
    for n, run in enumerate(runs):
        wanted[json.dumps(run)] = wanted.get(json.dumps(run), "") + f"{n}."
    assert text == wanted
    assert pressure(bridge, "streaming_output.*")["merged"] > 0
