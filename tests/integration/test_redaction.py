"""Members that a policy redacts: who lacks the scope finds them in nothing that he gets, whichever way he gets it."""
import json

import pytest

from harness.raw import RawWebSocket
from harness.tokens import tokens
from harness.wait import share_of

SECRET = "hunter2-and-more"
TOPICS = [{"match": "job.*", "keep": "log", "key": "/id",
           "redact": {"members": ["/password", "/env/*", "/steps/*/output"], "unless": "secrets"}},
          {"match": "state.*", "keep": "latest", "key": "/id", "redact": {"members": ["/password"], "unless": "secrets"}},
          {"match": "moment.*", "keep": "none", "key": "/id", "redact": {"members": ["/password"], "unless": "secrets"}},
          {"match": "text.*", "keep": "log", "key": "/id", "under_pressure": "merge", "merge": "/content",
           "redact": {"members": ["/password"], "unless": "secrets"}},
          {"match": "output.*", "keep": "log", "key": "/id", "under_pressure": "merge", "merge": "/content",
           "redact": {"members": ["/content"], "unless": "outputs"}}]
FORMS = [{}, {"format": "bare"}, {"meta": "1"}, {"meta": "1", "compression": "deflate"}]


def event(kind, **members):
    return {"type": kind, "id": 1, "password": SECRET, "n": 0, **members}


def without(data):
    return {name: value for name, value in data.items() if name != "password"}


@pytest.fixture
def start(trestled):
    """start(config): a bridge, and the tokens of who is blind, who sees, and of an admin."""
    def run(config=None):
        text, made = tokens({"name": "blind", "scopes": ["read", "see:outputs"]},
                            {"name": "seeing", "scopes": ["read", "see:secrets"]},
                            {"name": "admin", "scopes": ["read", "admin"]})
        bridge = trestled({"topics": TOPICS, "auth": {"tokens_file": "t.yaml"}, **(config or {})}, files={"t.yaml": text})
        return bridge, *made
    return run


def data_of(client, kind, bare=False):
    """The event of this type that comes next, and the text of all that came with it."""
    while True:
        text = client.text()
        message = json.loads(text)
        data = message if bare else message["data"]
        if data["type"] == kind:
            return data, text


@pytest.mark.parametrize("query", FORMS)
def test_live_in_each_form(start, connect, publisher, query):
    bridge, blind, seeing, admin = start({"compression": {"min_size": "64B"}})
    clients = [connect(bridge, token=token, **{"compression": None, **query}) for token in (blind, seeing, admin, True)]
    for client in clients:
        assert client.request("ping")["success"]
    job = event("job", env={"KEY": SECRET}, steps=[{"output": SECRET, "n": 1}, {"n": 2}], pad="x" * 200)
    publisher(bridge).event(job)
    (seen, text), *others = [data_of(client, "job", bare="format" in query) for client in clients]
    assert seen == {**without(job), "env": {}, "steps": [{"n": 1}, {"n": 2}]} and SECRET not in text
    assert [data for data, _ in others] == [job] * 3


def test_every_spelling_of_the_name_and_no_other(start, connect, publisher):
    bridge, blind, *_ = start()
    client, source = connect(bridge, token=blind), publisher(bridge)
    assert client.request("ping")["success"]
    source.event(b'{"id":1,"type":"job" , "pass\\u0077ord" : "' + SECRET.encode() + b'","Password":1}')
    assert client.text() == '{"success":true,"data":{"id":1,"type":"job","Password":1}}'


@pytest.mark.parametrize("pattern, redacted", [("deep.*", ["deep", "deep.1"]),
                                               ("deep.>", ["deep", "deep.1", "deep.1.a", "deep.1.a.b"])])
def test_a_policy_redacts_the_topics_of_its_pattern_and_no_others(start, connect, publisher, pattern, redacted):
    """As deploy/trestle.yaml says: `type.>` reaches whatever topic a producer gives."""
    bridge, blind, *_ = start({"topics": [{"match": pattern, "keep": "log", "redact": {"members": ["/password"]}}]})
    client, source = connect(bridge, token=blind), publisher(bridge)
    assert client.request("ping")["success"]
    for topic in ("deep", "deep.1", "deep.1.a", "deep.1.a.b"):
        source.event(event("deep", topic=topic), topic=topic)
        data, text = data_of(client, "deep")
        assert data["topic"] == topic and (SECRET not in text) == (topic in redacted), text


def test_twice_is_refused(start, connect, publisher):
    bridge, blind, *_ = start()
    source = publisher(bridge)
    source.event(b'{"type":"job","id":1,"password":1,"pass\\u0077ord":"' + SECRET.encode() + b'"}')
    source.event(b'{"type":"job","id":1,"env":{"A":1},"env":{"A":2}}')
    bridge.wait_status(lambda status: status["rejections"]["duplicate_member"] == 2, "both refused")
    watcher = connect(bridge, meta="1", topics="$sys.rejected")
    source.event(b'{"type":"job","id":1,"password":1,"password":"' + SECRET.encode() + b'"}')
    assert SECRET not in json.dumps(watcher.until("$sys.rejected"))
    assert SECRET not in json.dumps(bridge.status()) and SECRET not in bridge.output()


def everything_kept(bridge, connect, token, since=None):
    """The texts of what a client is given before it is live."""
    client = connect(bridge, token=token, meta="1", **({"since": since} if since else {}))
    texts = []
    while True:
        text = client.text()
        data = json.loads(text)["data"]
        if data["type"] == "live":
            return texts
        if data["type"] not in ("welcome", "gap"):
            texts.append(text)


@pytest.mark.parametrize("token_first", [True, False])
def test_snapshot_replay_and_in_band(start, connect, publisher, token_first):
    bridge, blind, seeing, _ = start()
    watcher, source = connect(bridge), publisher(bridge)
    for kind in ("job", "state"):
        source.event(event(kind))
        watcher.until(kind)
    assert [len(everything_kept(bridge, connect, blind)), len(everything_kept(bridge, connect, blind, "0"))] == [1, 2]
    assert SECRET not in "".join(everything_kept(bridge, connect, blind) + everything_kept(bridge, connect, blind, "0"))
    assert "".join(everything_kept(bridge, connect, seeing, "0")).count(SECRET) == 2
    client = connect(bridge, meta="1", topics="", token=blind if token_first else None)
    if not token_first:
        assert client.request("auth", token=blind)["success"]
    client.until("live")
    client.send({"type": "subscribe", "id": 1, "topics": ["job.*", "state.*"], "since": "0"})
    assert [without(event(kind)) for kind in ("job", "state")] == client.collect("live")[-2:]


def test_after_a_restart_also_what_was_published_before_the_policy(start, connect, publisher):
    bridge, blind, seeing, _ = start({"topics": [], "stream": {"path": "j.db"}})
    watcher, source = connect(bridge, meta="1"), publisher(bridge)
    offsets = []
    for n in range(3):
        source.event(event("job", n=n))
        offsets.append(watcher.until("job", n=n)["meta"]["offset"])
    assert "".join(everything_kept(bridge, connect, blind, "0")).count(SECRET) == 3
    cursor = f"{bridge.status()['epoch']}:{offsets[0]}"
    bridge.stop()
    bridge.config["topics"] = [{"match": "job", "keep": "log", "redact": {"members": ["/password"], "unless": "secrets"}}]
    bridge.restart()
    for since, count in (("0", 3), (cursor, 2)):
        texts = everything_kept(bridge, connect, blind, since)
        assert len(texts) == count and SECRET not in "".join(texts)
    assert "".join(everything_kept(bridge, connect, seeing, "0")).count(SECRET) == 3


def test_a_refreshed_token_sees_more_or_less_from_the_next_event_on(start, connect, publisher):
    bridge, blind, seeing, _ = start({"shards": 1})
    client, source = connect(bridge, token=blind, meta="1"), publisher(bridge)
    client.until("live")
    for token, sees in ((blind, False), (seeing, True), (blind, False), (seeing, True)):
        assert client.request("auth", token=token)["success"]
        for kind in ("job", "state", "moment"):
            source.event(event(kind))
            assert ("password" in client.until(kind)["data"]) == sees


def test_a_refresh_during_a_replay_counts_for_the_rest_of_it(start, connect, publisher, closing):
    bridge, blind, seeing, _ = start({"session": {"queue": "64KiB", "stall": "60s"}, "shards": 1})
    watcher, source = connect(bridge), publisher(bridge)
    count = share_of(3000, least=1000)
    for n in range(count):
        source.event(event("job", n=n, pad="x" * 2000))
        watcher.data()
    slow = closing(RawWebSocket(bridge.port, f"/?token={seeing}&meta=1&since=0", receive_buffer=4096))
    slow.send(RawWebSocket.TEXT, json.dumps({"type": "auth", "id": 1, "token": blind}).encode())
    refreshed, after = False, 0
    for data in iter(lambda: json.loads(slow.frame()[1])["data"], None):
        if data["type"] == "job":
            assert not (refreshed and "password" in data)
            after += refreshed
        refreshed = refreshed or data["type"] == "authenticated"
        if data["type"] == "job" and data["n"] == count - 1:
            break
    assert after > count / 2


@pytest.mark.parametrize("query", ["&meta=1", ""])
def test_under_pressure_nothing_hidden_comes_through(start, connect, publisher, closing, query):
    """Squeezed, merged, caught up, or closed with 4408: in no case."""
    bridge, blind, *_ = start({"session": {"queue": "256KiB", "stall": "60s"}, "shards": 1, "heartbeat": {"enabled": False}})
    slow = closing(RawWebSocket(bridge.port, f"/?token={blind}{query}", receive_buffer=4096))
    watcher, source = connect(bridge), publisher(bridge)
    count = share_of(4000, least=2000)
    for n in range(count):
        kind = ("text", "state")[n // 20 % 2]
        source.event(event(kind, n=n, content=f"{n}.", pad="x" * (2000 if n % 20 == 0 else 500)))
        watcher.data()
    source.event({"type": "end"})
    got, text = 0, ""
    while True:
        first, payload = slow.frame()
        assert SECRET.encode() not in payload
        if first & 0x0F == RawWebSocket.CLOSE:
            assert int.from_bytes(payload[:2], "big") == 4408 and not query
            break
        data = json.loads(payload)["data"]
        got += 1
        text += data["content"] if data["type"] == "text" else ""
        if data["type"] == "end":
            break
    counters = bridge.status()
    assert counters["pressure"]["state.*"]["replaced"] > 0
    if query:
        assert text == "".join(f"{n}." for n in range(count) if n // 20 % 2 == 0)
        assert counters["pressure"]["text.*"]["merged"] > 0


def test_a_merged_text_that_is_hidden_is_not_in_what_is_merged(start, connect, publisher, closing):
    bridge, _, seeing, _ = start({"session": {"queue": "64KiB", "stall": "60s"}, "shards": 1})
    slow = closing(RawWebSocket(bridge.port, f"/?token={seeing}&meta=1", receive_buffer=4096))
    watcher, source = connect(bridge), publisher(bridge)
    count = share_of(4000, least=2000)
    for n in range(count):
        source.event(event("output", n=n, content=SECRET, password="", pad="x" * 500))
        watcher.data()
    numbers = []
    while not numbers or numbers[-1] != count - 1:
        payload = slow.frame()[1]
        assert SECRET.encode() not in payload
        data = json.loads(payload)["data"]
        if data["type"] == "output":
            numbers.append(data["n"])
    assert numbers == sorted(set(numbers))


def test_the_cursor_of_4408_resumes_without_it(start, connect, publisher, closing):
    bridge, blind, *_ = start({"session": {"queue": "64KiB", "stall": "60s"}, "shards": 1, "heartbeat": {"enabled": False}})
    slow = closing(RawWebSocket(bridge.port, f"/?token={blind}&meta=1", receive_buffer=4096))
    watcher, source = connect(bridge), publisher(bridge)
    source.event(event("job"))
    for n in range(share_of(3000, least=1000)):
        source.event(event("moment", n=n, pad="x" * 2000))
        watcher.data()
    while True:
        first, payload = slow.frame()
        assert SECRET.encode() not in payload
        if first & 0x0F == RawWebSocket.CLOSE:
            break
    assert payload[2:].startswith(b"cursor=")
    source.event(event("job", n=1))
    watcher.until("job", n=1)
    texts = everything_kept(bridge, connect, blind, payload[2:].decode().removeprefix("cursor="))
    assert json.loads(texts[-1])["data"] == without(event("job", n=1)) and SECRET not in "".join(texts)

