"""Each way to show a token, and what happens without a good one."""
import hashlib
import json
import os
import signal
import subprocess
import time

import pytest
import websockets
import yaml

from harness.bridge import BINARY, TOKEN
from harness.client import Closed
from harness.raw import RawWebSocket
from harness.tokens import tokens
from harness.wait import PATIENCE, TIMEOUT, eventually, share_of


def works(client):
    return client.request("ping", id="works")["success"]


# --- ways to show it ------------------------------------------------------------------------------------------------------

def test_in_the_query(bridge, connect):
    assert works(connect(bridge))


def test_in_the_query_percent_encoded(bridge, connect):
    encoded = "".join(f"%{ord(letter):02x}" for letter in TOKEN)
    assert works(connect(bridge.ws_url(token=None) + "?token=" + encoded))


def test_without_a_slash_before_the_query(bridge, connect):
    """The first seed document writes ws://localhost:3001?token=…"""
    assert works(connect(f"ws://127.0.0.1:{bridge.port}?token={TOKEN}"))


def test_as_a_bearer_header(bridge, connect):
    for scheme in ("Bearer", "bearer"):
        assert works(connect(bridge, token=None, extra_headers={"Authorization": f"{scheme} {TOKEN}"}))


@pytest.mark.parametrize("name", ["trestle.v1", "trestle.plain"])
def test_as_a_subprotocol_and_the_answer_does_not_repeat_it(bridge, connect, name):
    for offered in ([name, "bearer." + TOKEN], ["bearer." + TOKEN, name]):
        client = connect(bridge, token=None, subprotocols=offered)
        assert client.subprotocol == name
        assert works(client)


def test_as_the_first_message(bridge, connect, publisher):
    client = connect(bridge, token=None)
    client.send({"type": "auth", "token": TOKEN, "id": 1})
    assert client.reply(1)["data"]["type"] == "authenticated"
    publisher(bridge).event({"type": "hello"})
    assert client.data()["type"] == "hello"


def test_events_do_not_come_before_the_first_message(trestled, connect, publisher):
    bridge = trestled({"shards": 1})  # of several, one may be a moment behind, and what it has not seen comes live
    waiting, watcher, source = connect(bridge, token=None), connect(bridge), publisher(bridge)
    source.event({"type": "note"})
    watcher.text()
    waiting.send({"type": "auth", "token": TOKEN})
    assert waiting.data()["type"] == "authenticated"
    source.event({"type": "hello"})
    assert waiting.data()["type"] == "hello"


def test_the_snapshot_comes_after_the_first_message(bridge, connect, publisher):
    watcher, source = connect(bridge), publisher(bridge)
    source.event({"type": "queue-update", "n": 1})
    watcher.text()
    client = connect(bridge, token=None, meta="1")
    client.send({"type": "auth", "token": TOKEN, "id": 1})
    assert client.until("queue-update")["data"]["n"] == 1
    client.until("live")


# --- no good token: 101 and then a close code, which is all that a browser can see ---------------------------------------

BAD_TOKENS = ["wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "x" * 4000, "ü", " " + TOKEN]


@pytest.mark.parametrize("token", BAD_TOKENS)
def test_a_wrong_token_in_the_query_is_4401(bridge, connect, token):
    assert connect(bridge, token=token).close_code() == 4401
    line, = bridge.logs("session refused")
    assert (line["code"], line["reason"]) == (4401, "no valid token")


def test_a_wrong_token_in_the_header_is_4401(bridge, connect):
    assert connect(bridge, token=None, extra_headers={"Authorization": "Bearer wrong"}).close_code() == 4401


def test_a_wrong_token_in_the_subprotocol_is_4401(bridge, connect):
    assert connect(bridge, token=None, subprotocols=["trestle.v1", "bearer.wrong"]).close_code() == 4401


def test_a_wrong_token_in_the_first_message_is_4401(bridge, connect):
    client = connect(bridge, token=None)
    client.send({"type": "auth", "token": "wrong"})
    assert client.close_code() == 4401


@pytest.mark.parametrize("first", [{"type": "ping", "id": 1}, {"type": "subscribe", "topics": [">"]}, "not json"])
def test_another_first_message_is_4401(trestled, connect, first):
    client = connect(trestled({"auth": {"timeout": "500ms"}}), token=None)
    client.send(first)
    assert client.close_code() == 4401


def test_no_first_message_in_time_is_4401(trestled, connect):
    bridge = trestled({"auth": {"timeout": "300ms"}})
    begun = time.monotonic()
    assert connect(bridge, token=None).close_code() == 4401
    assert 0.2 < time.monotonic() - begun < TIMEOUT


def test_the_reason_says_what_is_wrong_but_never_the_token(bridge, connect):
    closed = connect(bridge, token="a-wrong-token").closed()
    assert closed.code == 4401 and closed.reason and "a-wrong-token" not in closed.reason


# --- what a token may do --------------------------------------------------------------------------------------------------

@pytest.fixture
def scoped(trestled):
    """(bridge, {name: token})"""
    entries = [
        {"name": "progress", "scopes": ["read:command-progress.*"]},
        {"name": "two", "scopes": ["read:a.>", "read:b"]},
        {"name": "reader", "scopes": ["read"]},
        {"name": "writer", "scopes": ["publish"]},
        {"name": "operator", "scopes": ["admin", "read"]},
        {"name": "system", "scopes": ["read", "read:$sys.>"]},
        {"name": "old", "scopes": ["read"], "expires": "2026-01-02T00:00:00Z"},
    ]
    text, made = tokens(*entries)
    bridge = trestled({"auth": {"token": None}}, files={"tokens.yaml": text})
    names = {entry["name"]: token for entry, token in zip(entries, made)}
    bridge.token = names["operator"]
    return bridge, names


def test_without_topics_a_token_gets_what_it_may_read(scoped, publisher, connect):
    bridge, names = scoped
    client, source = connect(bridge, token=names["two"]), publisher(bridge)
    for kind in ("c", "a", "a.x", "b.x", "b"):
        source.event({"type": kind})
    assert [client.data()["type"] for _ in range(2)] == ["a.x", "b"]


@pytest.mark.parametrize("topics", [">", "command-progress.>", "queue-update", "command-progress.*,queue-update", "*.a",
                                    "$sys.>"])
def test_a_pattern_that_the_token_does_not_cover_is_4403(scoped, connect, topics):
    bridge, names = scoped
    assert connect(bridge, token=names["progress"], topics=topics).close_code() == 4403


@pytest.mark.parametrize("topics", ["command-progress.*", "command-progress.t1", ""])
def test_a_pattern_that_it_covers_is_granted(scoped, connect, topics):
    bridge, names = scoped
    assert works(connect(bridge, token=names["progress"], topics=topics))


def test_a_request_for_more_is_forbidden_and_the_connection_stays(scoped, connect):
    bridge, names = scoped
    client = connect(bridge, token=names["progress"])
    error = client.request("subscribe", id=9, topics=["command-progress.t1", "queue-update"])
    assert error["success"] is False and error["data"]["code"] == "forbidden" and error["data"]["id"] == 9
    assert works(client)


def test_system_topics_need_admin_or_an_explicit_scope(scoped, connect):
    bridge, names = scoped
    assert connect(bridge, token=names["reader"], topics="$sys.>").close_code() == 4403
    assert works(connect(bridge, token=names["operator"], topics="$sys.>"))
    assert works(connect(bridge, token=names["system"], topics="$sys.>"))


def test_a_token_without_any_read_scope_reads_nothing(scoped, publisher, connect):
    bridge, names = scoped
    client = connect(bridge, token=names["writer"])
    publisher(bridge).event({"type": "hello"})
    with pytest.raises(Exception):
        client.until("hello", timeout=0.5)


def test_an_expired_token_is_4409(scoped, connect):
    bridge, names = scoped
    assert connect(bridge, token=names["old"]).close_code() == 4409


def test_a_token_that_expires_while_connected_is_4409(trestled, connect):
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
    text, (token,) = tokens({"name": "soon", "scopes": ["read"], "expires": soon})
    bridge = trestled({"auth": {"token": None}}, files={"tokens.yaml": text})
    client = connect(bridge, token=token)
    assert works(client)
    assert client.close_code(timeout=4 + TIMEOUT) == 4409


def test_auth_refreshes_without_reconnecting(scoped, connect):
    bridge, names = scoped
    client = connect(bridge, token=names["progress"])
    assert not client.request("subscribe", topics=["queue-update"])["success"]
    reply = client.request("auth", id=5, token=names["reader"])
    assert reply["data"]["type"] == "authenticated" and reply["data"]["name"] == "reader"
    assert client.request("subscribe", topics=["queue-update"])["success"]


def test_a_failed_refresh_changes_nothing(scoped, connect):
    bridge, names = scoped
    client = connect(bridge, token=names["reader"])
    assert client.request("auth", token="wrong")["data"]["code"] == "unauthorized"
    assert client.request("subscribe", topics=["queue-update"])["success"]


def test_status_needs_read_or_admin(scoped):
    bridge, names = scoped
    for name, code in {"operator": 200, "reader": 200, "writer": 403, "old": 401}.items():
        assert bridge.http("/api/status", token=names[name])[0] == code, name


def test_the_status_tells_a_token_what_it_may_read_and_no_more(scoped, connect, publisher, sequenced):
    bridge, names = scoped
    source = publisher(bridge)
    sequenced(bridge, "worker-7")
    for id in ("t1", "t2"):
        source.event({"type": "command-progress", "id": id})
    source.event({"type": "queue-update"})
    bridge.wait_status(lambda status: status["topics_total"] == 4, "all of it")
    connect(bridge, topics="$sys.>").request("ping")

    def told(name):
        data = json.loads(bridge.http("/api/status", token=names[name])[1])["data"]
        assert data["topics_total"] == len(data["topics"]) and data["producers_total"] == len(data["producers"])
        return {topic["topic"] for topic in data["topics"]}, [producer["id"] for producer in data["producers"]], data

    progress = {"command-progress.t1", "command-progress.t2"}
    for name in ("operator", "system"):
        topics, producers, data = told(name)
        assert topics == progress | {"queue-update", "$sys.producer.worker-7"} and producers == ["worker-7"]
        assert [session["topics"] for session in data["sessions"]] == [["$sys.>"]]
    for name, seen in (("reader", progress | {"queue-update"}), ("progress", progress), ("two", set())):
        topics, producers, data = told(name)
        assert topics == seen and producers == [] and "sessions" not in data and data["sessions_total"] == 1
        assert not any(secret in json.dumps(data) for secret in ("worker-7", "operator", "127.0.0.1", "$sys"))


def test_identities_are_named_in_the_status_tokens_are_not(scoped, connect):
    bridge, names = scoped
    client = connect(bridge, token=names["progress"])
    works(client)
    status = bridge.status()
    assert [session["identity"] for session in status["sessions"]] == ["progress"]
    assert not any(token in str(status) for token in names.values())


def test_scopes_with_sub_are_those_of_the_tokens_name(trestled, publisher, connect):
    text, (mine, star) = tokens({"name": "worker-7", "scopes": ["read:task.{sub}.>"]},
                                {"name": "*", "scopes": ["read:task.{sub}.>"]})
    bridge = trestled({"auth": {"token": None}}, files={"tokens.yaml": text})
    client, hostile, source = connect(bridge, token=mine), connect(bridge, token=star), publisher(bridge)
    for kind in ("task.8.x", "task.worker-7.x"):
        source.event({"type": kind})
    assert client.data()["type"] == "task.worker-7.x"
    hostile.send({"type": "ping", "id": 1})
    assert hostile.collect("pong", id=1) == []


# --- the file changes while it runs ---------------------------------------------------------------------------------------

def entry_of(name, token, *scopes):
    return {"name": name, "sha256": hashlib.sha256(token.encode()).hexdigest(), "scopes": list(scopes)}


class TokenFile:
    """A bridge's token file, and how it is changed."""

    def __init__(self, trestled, first=(("a", "A", "read"), ("b", "B", "read")), **config):
        self.bridge = trestled({"auth": {"token": None}, **config}, files={"tokens.yaml": self.text(*first)})
        self.bridge.token = "B"                                     # asks for the status
        self.path = self.bridge.folder / "tokens.yaml"

    @staticmethod
    def text(*entries):
        return yaml.safe_dump({"tokens": [entry_of(*entry) for entry in entries]})

    def in_place(self, text):
        self.path.write_text(text)

    def renamed_over(self, text):
        beside = self.path.with_suffix(".new")
        beside.write_text(text)
        beside.chmod(0o600)
        os.replace(beside, self.path)

    def by_hangup(self, text):
        self.renamed_over(text)
        self.bridge.process.send_signal(signal.SIGHUP)


@pytest.mark.parametrize("way", ["in_place", "renamed_over", "by_hangup"])
def test_a_revoked_token_ends_its_sessions_within_a_second(trestled, connect, way):
    file = TokenFile(trestled)
    gone, stays = connect(file.bridge, token="A"), connect(file.bridge, token="B")
    assert works(gone) and works(stays)
    begun = time.monotonic()
    getattr(file, way)(file.text(("b", "B", "read")))
    closed = gone.closed()
    assert (closed.code, closed.reason) == (4401, "the token was revoked")
    assert time.monotonic() - begun < PATIENCE
    assert works(stays)
    assert connect(file.bridge, token="A").close_code() == 4401
    assert file.bridge.http("/api/status", token="A")[0] == 401


@pytest.mark.parametrize("mode", [0o644, 0o602, 0o660])
def test_a_file_that_others_can_open_is_not_taken_until_that_is_mended(trestled, connect, mode):
    file = TokenFile(trestled)
    client = connect(file.bridge, token="A")
    file.path.chmod(mode)
    file.in_place(file.text(("c", "C", "admin")))
    line, = eventually(lambda: file.bridge.logs("tokens stay as they were"), "the log says so")
    assert f"{file.path} is a secret that others can " in line["error"]
    assert f"(mode {mode:04o}): chmod 600 {file.path}" in line["error"]
    assert works(client) and connect(file.bridge, token="C").close_code() == 4401
    file.path.chmod(0o600)
    assert client.close_code() == 4401
    assert works(connect(file.bridge, token="C"))


def test_no_file_is_no_tokens(trestled, connect):
    file = TokenFile(trestled)
    client = connect(file.bridge, token="A")
    assert works(client)
    file.path.unlink()
    assert client.close_code() == 4401


def test_a_half_written_file_revokes_nobody(trestled, connect):
    file = TokenFile(trestled)
    client = connect(file.bridge, token="A")
    whole = file.text(("a", "A", "read"), ("b", "B", "read"), ("c", "C", "read"))
    file.in_place(whole[:len(whole) // 2])
    eventually(lambda: file.bridge.logs("tokens stay as they were"), "the file is refused")
    assert works(client)
    with open(file.path, "w") as slow:                              # as an editor over a slow link
        for line in whole.splitlines(keepends=True):
            slow.write(line)
            slow.flush()
            time.sleep(0.01)
    eventually(lambda: file.bridge.http("/api/status", token="C")[0] == 200, "the whole file is read")
    assert works(client)


def test_what_is_wrong_in_a_file_is_told_to_who_may_read_sys(trestled):
    file = TokenFile(trestled, first=[("a", "A", "read:x"), ("b", "B", "read", "admin")])
    file.renamed_over(file.text(("customer", "C", "read:secret..project"), ("a", "A", "read:x")))

    def trouble(token):
        return json.loads(file.bridge.http("/api/status", token=token)[1])["data"]["auth"].get("trouble", "")

    eventually(lambda: "secret..project" in trouble("B"), "the fault in the status")
    assert trouble("A") == "told to who may read $sys.>, and in the log"


def test_changed_scopes_are_those_of_live_sessions(trestled, connect, publisher):
    file = TokenFile(trestled)
    client, watcher, source = connect(file.bridge, token="A"), connect(file.bridge, token="B"), publisher(file.bridge)
    file.renamed_over(file.text(("a", "A", "read:x"), ("b", "B", "read")))
    eventually(lambda: client.request("status")["data"]["topics"] == ["x"], "narrowed")
    for kind in ("y", "x", "end"):
        source.event({"type": kind})
    watcher.until("end")
    assert client.data()["type"] == "x"
    file.renamed_over(file.text(("a", "A", "read"), ("b", "B", "read")))
    eventually(lambda: ">" in client.request("status")["data"]["topics"], "widened")
    source.event({"type": "y"})
    assert client.until("y")


def test_who_is_revoked_gets_nothing_more_of_what_waits(trestled, connect, publisher, closing):
    file = TokenFile(trestled, shards=1)
    slow = closing(RawWebSocket(file.bridge.port, "/?token=A", receive_buffer=4096))
    watcher, source = connect(file.bridge, token="B"), publisher(file.bridge)
    count, size = share_of(400, least=200), 10_000
    for n in range(count):
        source.event({"type": "secret", "n": n, "pad": "x" * size})
        watcher.data()
    file.renamed_over(file.text(("b", "B", "read")))
    eventually(lambda: file.bridge.logs("session refused"), "revoked")
    numbers = []
    while True:
        first, payload = slow.frame()
        if first & 0x0F == slow.CLOSE:
            break
        numbers.append(json.loads(payload)["data"]["n"])
    assert payload == b"\x11\x31the token was revoked"             # 4401
    assert numbers == list(range(len(numbers))) and len(numbers) * size < 1_500_000 < count * size


@pytest.mark.parametrize("narrowed", ["read", "read:open"], ids=["sees less", "reads less"])
def test_what_waits_for_narrowed_scopes_is_what_they_may_have(trestled, connect, publisher, closing, narrowed):
    """4408 with the cursor where what waits would have to be redacted anew; what may not be read is left out."""
    redacting = {"match": "job", "keep": "log", "redact": {"members": ["/password"]}}
    file = TokenFile(trestled, shards=1, topics=[redacting], session={"stall": "60s"},
                     first=[("a", "A", "read", "see"), ("b", "B", "read", "admin")])
    bridge = file.bridge
    slow = closing(RawWebSocket(bridge.port, "/?token=A&meta=1", receive_buffer=4096))
    watcher, source = connect(bridge, token="B"), publisher(bridge)
    count, size = share_of(400, least=200), 10_000
    for n in range(count):
        source.event({"type": "job", "n": n, "password": "hunter2", "pad": "x" * size})
        watcher.data()
    file.renamed_over(file.text(("a", "A", narrowed), ("b", "B", "read", "admin")))
    if narrowed == "read":
        eventually(lambda: bridge.logs("session too slow"), "the session is closed")
    else:
        eventually(lambda: max(one["queued"] for one in bridge.status()["sessions"]) < size * 3, "what waits is dropped")
    source.event({"type": "open", "n": count})
    passwords, last = 0, None
    while last != "open":
        first, payload = slow.frame()
        if first & 0x0F == slow.CLOSE:
            assert narrowed == "read" and payload.startswith(b"\x11\x38cursor=")
            break
        data = json.loads(payload)["data"]
        last = data["type"]
        passwords += "password" in data
    assert 0 < passwords and passwords * size < 1_500_000 < count * size
    if narrowed == "read":
        back = connect(bridge, token="A", meta=1, since=payload[2:].decode().removeprefix("cursor="))
        jobs = [data for data in back.collect("live") if data["type"] == "job"]
        assert [job["n"] for job in jobs] == list(range(passwords, count))
        assert all("password" not in job for job in jobs)


def task_numbers(slow, last):
    """The numbers of the task events from here to the last, and the notices on the way; offsets rise."""
    numbers, notices, offset = [], [], 0
    while last not in numbers:
        message = json.loads(slow.next(slow.TEXT))
        if "meta" not in message:
            notices.append(message["data"]["type"])
        elif message["data"]["type"] == "task":
            assert message["meta"]["offset"] > offset
            offset = message["meta"]["offset"]
            numbers.append(message["data"]["n"])
    return numbers, notices


def publish_tasks(bridge, source, numbers, pad, watcher=None):
    """Every other event is one that the narrowed token may not read."""
    for n in numbers:
        source.event({"type": ("task", "other")[n % 2], "n": n, "pad": "x" * pad})
        if watcher:
            watcher.data()
    bridge.wait_status(lambda status: status["counters"]["events"] >= numbers.stop, "all of it is there")


def narrow_to_tasks(file):
    narrow = ("a", "A", "read:task", "read:task.>")
    file.renamed_over(file.text(narrow, ("b", "B", "read")))
    eventually(lambda: file.bridge.logs("tokens read again"), "the file is read")
    time.sleep(0.5 * PATIENCE)                                      # sessions look at their tokens every 250 ms


def test_scopes_that_narrow_during_a_replay_take_nothing_away_that_may_still_be_read(trestled, publisher, closing):
    file = TokenFile(trestled, shards=1)
    count = share_of(2000, least=1000)
    source = publisher(file.bridge)
    publish_tasks(file.bridge, source, range(count), 5000)
    slow = closing(RawWebSocket(file.bridge.port, "/?token=A&meta=1&since=0", receive_buffer=4096))
    narrow_to_tasks(file)
    publish_tasks(file.bridge, source, range(count, count + 6), 5)
    numbers, notices = task_numbers(slow, count + 4)
    assert numbers == list(range(0, count + 6, 2))
    assert set(notices) <= {"welcome", "live"} and notices.count("live") <= 1


def test_scopes_that_narrow_during_a_catch_up_take_nothing_away_either(trestled, publisher, connect, closing):
    file = TokenFile(trestled, shards=1, session={"queue": "256KiB", "stall": "60s"})
    bridge, source = file.bridge, publisher(file.bridge)
    slow = closing(RawWebSocket(bridge.port, "/?token=A&meta=1", receive_buffer=4096))
    watcher = connect(bridge, token="B")
    count = share_of(2000, least=1000)
    publish_tasks(bridge, source, range(count), 5000, watcher)
    assert bridge.status()["counters"]["catch_ups"] == 1
    narrow_to_tasks(file)
    publish_tasks(bridge, source, range(count, count + 6), 5)
    numbers, notices = task_numbers(slow, count + 4)
    assert numbers == list(range(0, count + 6, 2))
    assert "gap" not in notices


def test_scopes_that_narrow_do_not_repeat_what_was_given(trestled, publisher, connect):
    file = TokenFile(trestled)
    client, source = connect(file.bridge, token="A"), publisher(file.bridge)
    source.event({"type": "queue-update", "n": 1})
    assert client.data()["type"] == "queue-update"
    file.renamed_over(file.text(("a", "A", "read:queue-update"), ("b", "B", "read")))
    client.send({"type": "ping", "id": 0})
    eventually(lambda: client.request("status")["data"]["topics"] == ["queue-update"], "narrowed")
    source.event({"type": "queue-update", "n": 2})
    assert client.data()["n"] == 2


def test_the_command_line_revokes_at_a_running_bridge(trestled, connect):
    file = TokenFile(trestled)
    client = connect(file.bridge, token="A")
    assert works(client)
    done = subprocess.run([BINARY.parent / "trestle", "token", "revoke", "--name", "a", "--file", file.path],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert client.close_code() == 4401


# --- ways that are switched off -------------------------------------------------------------------------------------------

WAYS = ["query", "header", "subprotocol", "message"]


def show(bridge, connect, way, token):
    """The close code of a client that shows the token in that way, None if it gets in."""
    options = {"query": {"token": token},
               "header": {"token": None, "extra_headers": {"Authorization": f"Bearer {token}"}},
               "subprotocol": {"token": None, "subprotocols": ["trestle.plain", "bearer." + token]},
               "message": {"token": None}}[way]
    client = connect(bridge, **options)
    if way == "subprotocol":
        assert client.subprotocol == "trestle.plain"
    try:
        if way == "message":
            client.send({"type": "auth", "token": token})
            return None if client.data()["type"] == "authenticated" else "?"
        return None if client.request("status")["success"] else client.close_code()
    except (Closed, websockets.ConnectionClosed):
        return client.close_code()


@pytest.mark.parametrize("accepted", [[way] for way in WAYS] + [["header", "message"]])
def test_a_token_counts_only_in_the_ways_that_are_accepted(trestled, connect, accepted):
    bridge = trestled({"auth": {"accept": accepted, "timeout": "300ms"}, "log": {"level": "debug"}})
    for way in WAYS:
        assert show(bridge, connect, way, TOKEN) == (None if way in accepted else 4401), way
    assert bridge.http("/api/status", token=TOKEN)[0] == (200 if "header" in accepted else 401)
    assert bridge.http("/api/status?token=" + TOKEN)[0] == (200 if "query" in accepted else 401)
    if "header" in accepted:
        client = connect(bridge, token=None, extra_headers={"Authorization": f"Bearer {TOKEN}"})
        assert client.request("auth", token=TOKEN)["success"] == ("message" in accepted)
    assert bridge.stop() == 0
    assert TOKEN not in bridge.output()


# --- tokens never in logs -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", ["json", "text"])
def test_tokens_are_never_in_the_logs(make_bridge, connect, form):
    from harness.bridge import Bridge
    from harness.wait import free_port
    port = free_port()
    bridge = make_bridge({"log": {"level": "debug", "format": form}, "listen": {"port": port}}).launch()
    bridge.port = port
    eventually(bridge.healthy, "/healthz")
    assert isinstance(bridge, Bridge)
    connect(bridge).request("ping")
    connect(bridge, token=None, extra_headers={"Authorization": f"Bearer {TOKEN}"}).request("ping")
    connect(bridge, token=None, subprotocols=["trestle.v1", "bearer." + TOKEN]).request("ping")
    connect(bridge, token="a-wrong-token").close_code()
    connect(bridge).request("auth", token="another-wrong-token")
    bridge.http("/api/status?token=" + TOKEN)
    bridge.http("/nowhere?token=" + TOKEN + "&x=1")
    assert bridge.stop() == 0
    assert bridge.output()
    for secret in (TOKEN, "a-wrong-token", "another-wrong-token"):
        assert secret not in bridge.output()
