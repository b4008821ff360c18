"""Every way in × every right × every door: nobody is given a topic that he has no right to, nor told whether there is one.

The doors, the ways to show a token, the requests and the paths that answer are read from the code; one that has no row here
fails a test. What is expected comes from harness/door_oracle.py, which knows the design and nothing of trestled."""
import itertools
import json
import re

import pytest
import yaml

from harness.bridge import REPOSITORY, TOKEN
from harness.door_asker import Asker, Way
from harness.door_bridge import ANYBODY, NOBODY, PUBLISHED, RIGHTS, STATIC, start
from harness.door_oracle import Expected, Right
from harness.raw import RawWebSocket
from harness.wait import SHARE, Dice, eventually, share_of

WAYS = [Way("query", "query"), Way("query at /ws", "query", "/ws"), Way("query at /plugin/ws, bare", "query", "/plugin/ws"),
        Way("query with meta", "query", query="meta=1"), Way("header", "header"), Way("subprotocol", "subprotocol"),
        Way("subprotocol with meta", "subprotocol", protocol="trestle.v1"), Way("message", "message"),
        Way("query at a path without tokens", "query", "/open", is_open=True),
        Way("message at a path without tokens", "message", "/open", is_open=True)]
ASKS = ["room.a", "room.*", "room.>", "user.alice.1", "user.bob.>", "user.*.1", "*.a", ">", "$sys.producer.*", "$sys.>",
        "nothing.here", "room.a,user.bob.1"]
SESSION_SAYS = {"type", "id", "session", "identity", "epoch", "offset", "queued", "sent", "topics"}


# --- what the code says there is -----------------------------------------------------------------------------------------

def names_in(file, pattern):
    text = re.sub(r"//.*", "", (REPOSITORY / file).read_text())
    return set(re.findall(r"\w+", re.search(pattern, text, re.DOTALL).group(1)))


def test_every_door_way_and_request_of_the_code_has_a_row_here():
    rows = "has none in tests/integration/test_door_matrix.py: add what it may let out, to whom"
    assert names_in("bridge/core/door.h", r"enum class Door \{(.*?)\}") == set(DOORS), "a door of bridge/core/door.h " + rows
    shown = {way.shown for way in WAYS}
    assert names_in("bridge/config/settings.h", r"enum class TokenWay \{(.*?)\}") == shown, "a way in " + rows
    assert names_in("proto/request.h", r"enum class Kind \{(.*?)\}") == set(REQUESTS), "a request of proto/request.h " + rows


def test_nothing_but_the_status_answers_with_data(matrix_bridge):
    """A path that comes to be known fails here: it is one more door, unless it says nothing about topics."""
    bridge, tokens, _ = matrix_bridge
    known = {path for file in (REPOSITORY / "bridge/front").glob("*.cpp")
             for path in re.findall(r'path == "(/[^"]+)"', file.read_text())}
    assert known == {"/healthz", "/readyz", "/api/status"}, "a path has no row in test_door_matrix.py"
    unknown = bridge.http("/there-is-no-such-path", token=tokens["operator", "file"])
    assert unknown[0] == 404
    paths = ["/events", "/events?topics=room.a&since=0", "/tail", "/api/events", "/api/topics", "/api/snapshot", "/metrics", "/api/status/"]
    endpoints = ["/ws", "/plugin/ws", "/open"]
    upgrade = bridge.http("/ws")
    assert upgrade[0] == 426
    for path, token in itertools.product(paths + endpoints, [*tokens.values(), None]):
        assert bridge.http(path, token=token) == (upgrade if path in endpoints else unknown), path
    for path in ("/api/events", "/api/status", "/"):
        assert bridge.http(path, method="POST", body='{"type":"room.a"}', token=tokens["operator", "file"])[0] == 405


@pytest.fixture
def matrix_bridge(trestled, tmp_path, closing):
    """(bridge, tokens, sources)"""
    return start(trestled, tmp_path, closing)


# --- the matrix -----------------------------------------------------------------------------------------------------------

class Cell:
    """One way in with one token. Each door is a method: it asks in all the ways there are, and notes what differs."""

    def __init__(self, matrix, way, right, kind, code=None):
        self.matrix, self.bridge, self.world = matrix, matrix.bridge, matrix.world
        self.way, self.right, self.kind, self.code = way, right, kind, code
        self.asks = ASKS if code is None else ASKS[:2]              # one that is worth nothing is not asked further
        self.token = matrix.tokens.bad[right.name][0] if code else matrix.tokens[right.name, kind]

    def differs(self, what, expected, seen):
        if expected != seen:
            self.matrix.wrong.append(f"{self.way.name}, {self.right.name} ({self.kind}), {what}: expected {expected}, was {seen}")

    def open(self, asked=None, since=None):
        """(session, what it has to be)"""
        offset, cursor = self.matrix.cursors[since]
        asker = Asker(self.bridge, self.way, self.token, asked, cursor)
        expected = Expected(self.world)
        by_message = self.way.shown == "message"
        if self.way.is_open:                                        # one that nobody asked for is not looked at
            expected.connect(ANYBODY, asked, offset)
            if by_message and not self.code and expected.code is None:
                expected.renew(self.right)
        elif self.code:
            expected.code = self.code
        else:
            expected.connect(self.right, asked, offset)
        return asker, expected

    def compare(self, what, asker, expected):
        says = asker.settle()
        if asker.closed:
            self.matrix.reasons.setdefault(asker.closed[0], set()).add(asker.closed[1])
        self.differs(what, (expected.code, expected.words), (asker.closed and asker.closed[0], asker.words))
        if expected.code is None and says:
            self.differs(what + ", topics", expected.topics, set(says["topics"]))
        return says

    def connect(self):
        for asked in [None, "", *self.asks]:
            asker, expected = self.open(asked)
            with asker:
                self.compare(f"connect topics={asked}", asker, expected)

    def snapshot(self):
        asker, expected = self.open()
        with asker:
            self.compare("snapshot", asker, expected)

    def replay(self):
        for asked, since in [(None, "0"), (None, "elsewhere"), *((asked, "privileged") for asked in [None, *self.asks])]:
            asker, expected = self.open(asked, since)
            with asker:
                self.compare(f"replay topics={asked} since={since}", asker, expected)
                self.differs("gaps say more than where", [], [gap for gap in asker.notices if gap["type"] == "gap" and
                                                              set(gap) - {"type", "reason", "epoch", "offset", "from", "to"}])

    def subscribe(self):
        for since in (None, "0", "privileged"):
            asker, expected = self.open("")
            offset, cursor = self.matrix.cursors[since]
            with asker:
                for asked in self.asks:
                    reply = asker.ask("subscribe", topics=asked, **({} if cursor is None else {"since": cursor}))
                    granted = expected.code is None and expected.subscribe(asked, offset)
                    self.differs(f"subscribe {asked}", granted, reply is not None and reply["type"] == "subscribed")
                    self.compare(f"subscribe {asked} since={since}", asker, expected)
                    if granted:
                        asker.ask("unsubscribe", topics=asked)
                        expected.unsubscribe(asked)
                    elif reply:
                        refused = re.sub(r"read all of [^ ]+$", "", reply["message"])
                        self.matrix.reasons.setdefault(reply["code"], set()).add(refused)

    def session(self):
        asker, expected = self.open()
        with asker:
            says = self.compare("session", asker, expected)
            if expected.code is None:
                self.differs("session says", SESSION_SAYS, set(says))
                name = expected.right.bearer or "jwt"
                self.differs("session's identity", name, says["identity"])

    def renew(self):
        """Another token in-band: every right follows every other on some way. What is not known changes nothing."""
        at = self.matrix.rights.index(self.right) if self.right in self.matrix.rights else 0
        others = [self.matrix.rights[(at + 2 * WAYS.index(self.way) + step) % len(self.matrix.rights)] for step in (0, 1)]
        for other, asked in itertools.product(others, [None, "room.a,room.>", ">"]):
            asker, expected = self.open(asked)
            with asker:
                for what, (token, _) in itertools.islice(self.matrix.tokens.bad.items(), 0, 3) if expected.code is None else ():
                    self.differs(f"renewed with one that is {what}", "unauthorized", asker.ask("auth", token=token).get("code"))
                if expected.code is None:
                    asker.ask("auth", token=self.matrix.token_of(other, self.kind))
                    expected.renew(other)
                self.compare(f"renewed to {other.name}, topics={asked}", asker, expected)

    def status(self):
        for how in ("status", "status, with other things"):
            query = "&".join(filter(None, [self.way.query_of(self.token), "topics=>&since=0" * (how != "status")]))
            protocol = {"Sec-WebSocket-Protocol": f"trestle.v1, bearer.{self.token}"} if self.way.shown == "subprotocol" else {}
            token = self.token if self.way.shown == "header" else None
            answer = self.bridge.http("/api/status?" + query, token=token, headers=protocol)
            shown = self.way.shown in ("query", "header") and not self.code
            expected = 401 if not shown else 200 if self.right.patterns() else 403
            self.differs(how, expected, answer[0])
            if answer[0] != 200:
                self.matrix.reasons.setdefault(answer[0], set()).add(answer[1])
                continue
            data = json.loads(answer[1])["data"]
            kept = [event for event in self.world.kept() if self.right.may(event.topic)]
            self.differs(how + ", topics", [event.topic for event in kept], [topic["topic"] for topic in data["topics"]])
            self.differs(how + ", producers", {event.mark for event in kept if event.topic.startswith("$sys")},
                         {producer["id"] for producer in data["producers"]})
            self.differs(how + ", sessions", self.right.may("$sys.>"), "sessions" in data)
            self.differs(how + ", totals", [len(kept), len(data["producers"])], [data["topics_total"], data["producers_total"]])


DOORS = {"connect": Cell.connect, "subscribe": Cell.subscribe, "renew": Cell.renew, "snapshot": Cell.snapshot,
         "replay": Cell.replay, "session": Cell.session, "status": Cell.status}
# Requests and the doors they come through. A pong says the time; commands are not taken from anybody.
REQUESTS = {"subscribe": "subscribe", "unsubscribe": None, "auth": "renew", "ping": None, "status": "session", "command": None}


class Matrix:
    def __init__(self, bridge, tokens, sources):
        self.bridge, self.tokens, self.world = bridge, tokens, sources.world
        self.rights = [*RIGHTS, NOBODY, STATIC]
        self.wrong, self.seen, self.reasons = [], set(), {}
        sources.presence(bridge)
        sources.publish(PUBLISHED)
        privileged = sources.watcher.request("status", id="cursor")["data"]
        sources.publish(PUBLISHED[::2])                                  # the cursor of who reads all stands before these
        sources.presence(bridge)
        self.cursors = {None: (None, None), "0": (0, "0"), "elsewhere": (0, "1:5"),
                        "privileged": (privileged["offset"], f"{privileged['epoch']}:{privileged['offset']}")}

    def token_of(self, right, kind):
        own = [token for (name, _), token in self.tokens.items() if name == right.name]
        return self.tokens.get((right.name, kind), own[0])

    def cells(self):
        """Every way with every token, and the doors to try."""
        for way in WAYS:
            for right in self.rights:
                for kind in [kind for name, kind in self.tokens if name == right.name]:
                    yield Cell(self, way, right, kind), DOORS
            for what, (_, code) in self.tokens.bad.items():
                yield Cell(self, way, Right(what, ()), "bad", code), DOORS

    def run(self, dice):
        for cell, doors in self.cells():
            if SHARE < 1 and dice.random() >= SHARE:
                continue
            for name, door in doors.items():
                door(cell)
                self.seen.add((cell.way, cell.right.name, cell.kind, name))


def test_every_way_in_with_every_right_at_every_door(matrix_bridge):
    bridge, tokens, sources = matrix_bridge
    matrix, dice = Matrix(bridge, tokens, sources), Dice()
    matrix.run(dice)
    assert not matrix.wrong, "\n".join([f"{len(matrix.wrong)} differences; {dice.said}", *matrix.wrong[:40]])
    if SHARE == 1:
        assert len(matrix.seen) == len(WAYS) * (len(tokens) + len(tokens.bad)) * len(DOORS)
    # One answer for each kind of refusal, whether or not there is what was asked for.
    assert all(len(texts) == 1 for texts in matrix.reasons.values()), matrix.reasons
    assert set(matrix.reasons) <= {4401, 4403, 4409, 401, 403, "forbidden", "unauthorized"}


# --- sessions that stay open ----------------------------------------------------------------------------------------------

class Open(Cell):
    """A session of the matrix that stays."""

    def __init__(self, matrix, way, right, kind, asked):
        super().__init__(matrix, way, right, kind)
        self.asked = asked
        self.asker, self.expected = self.open(asked)

    def check(self, what):
        self.compare(f"{what}, topics={self.asked}", self.asker, self.expected)

    def close(self):
        self.asker.close()


def take_back(bridge, tokens, right):
    """Half of the tokens are revoked, and of the others those in the file may only read room.b. Which are worth something."""
    kept = {name: at % 2 == 0 for at, name in enumerate(dict.fromkeys(name for name, _ in tokens))}
    names = {other.bearer: other.name for other in [*RIGHTS, NOBODY]}
    tokens.entries = [{**entry, "scopes": list(right.scopes)} for entry in tokens.entries if kept.get(names.get(entry["name"]))]
    (bridge.folder / "tokens.yaml").write_text(tokens.text())
    (bridge.folder / "revoked.yaml").write_text(yaml.safe_dump({"jti": [name for name in kept if not kept[name]] + ["stolen"]}))
    return kept


def test_sessions_that_stay_open_get_what_their_tokens_are_worth_at_the_time(matrix_bridge, closing):
    bridge, tokens, sources = matrix_bridge
    matrix = Matrix(bridge, tokens, sources)
    sessions = [closing(Open(matrix, way, right, kind, asked)) for way in WAYS for right in matrix.rights
                for kind in [kind for name, kind in tokens if name == right.name] for asked in (None, "room.>")
                if SHARE == 1 or (right.name, asked) in (("deep", "room.>"), ("own", None), ("pattern", None))]

    def publish(what):
        events = sources.publish([*PUBLISHED, "user.%2A.1", "user.%3E.1", "user.alice%2E1.1"])
        for session in sessions:
            session.expected.live([] if session.expected.code else events)
            session.check(what)

    publish("live")
    narrow = Right("narrowed", ("read:room.b",))
    kept = take_back(bridge, tokens, narrow)
    for session in sessions:
        if session.expected.code or session.kind == "static" or session.expected.right == ANYBODY:
            continue
        if not kept[session.right.name]:
            session.expected.code = 4401
            session.differs("revoked", (4401, "the token was revoked"), session.asker.wait_closed())
        elif session.kind == "file":
            session.expected.renew(narrow._replace(sub=session.right.bearer))
            eventually(lambda: session.asker.settle()["topics"] == sorted(session.expected.topics), "narrowed")
    publish("live, after rights were taken back")
    for (name, kind), token in tokens.items():
        worth = kind == "static" or kept[name]
        assert worth == (bridge.http("/api/status", token=token)[0] != 401), (name, kind)
    assert not matrix.wrong, "\n".join([f"{len(matrix.wrong)} differences", *matrix.wrong[:40]])


@pytest.mark.parametrize("asked", [None, ">"])
def test_a_replay_that_is_under_way_gives_nothing_more_of_what_is_taken_back(matrix_bridge, closing, asked):
    bridge, tokens, sources = matrix_bridge
    count = share_of(1500, least=600)
    for n in range(count):
        sources.publisher.event({"type": ("log.b", "log.a")[n % 2], "n": n, "pad": "x" * 4000})
    sources.watcher.until("log.a" if count % 2 == 0 else "log.b", n=count - 1)
    topics = "" if asked is None else "&topics=" + asked
    slow = closing(RawWebSocket(bridge.port, f"/?token={TOKEN}&meta=1&since=0{topics}", receive_buffer=4096))
    slow.send(slow.TEXT, json.dumps({"type": "auth", "id": 1, "token": tokens["two", "file"]}).encode())
    before = {"log.a": 0, "log.b": 0, "welcome": 0}
    for data in iter(lambda: json.loads(slow.next(slow.TEXT))["data"], None):
        if data["type"] == "authenticated":
            break
        before[data["type"]] += 1
    assert before["log.b"] < count / 2, "all of it was through already"
    sources.publish(["log.b", "log.a", "room.b"])
    slow.send(slow.TEXT, json.dumps({"type": "status", "id": 2}).encode())
    seen, topics = [], None
    while topics is None or (topics and seen[-1:] != ["room.b"]):
        message = json.loads(slow.next(slow.TEXT))
        seen += [message["meta"]["topic"]] if "meta" in message else []
        topics = message["data"]["topics"] if message["data"].get("id") == 2 else topics
    # Who named no topics goes on with what it may read now; who named `>` may not read that any more.
    left = ["log.a"] * (count // 2 + 1 - before["log.a"]) + ["room.b"]
    assert (seen, topics) == ((left, ["log.a", "room.b"]) if asked is None else ([], []))


def test_whatever_is_sent_before_a_token_is_answered_alike(matrix_bridge):
    """No request tells anything to who has not said who he is."""
    bridge, tokens, sources = matrix_bridge
    Matrix(bridge, tokens, sources)
    with Asker(bridge, WAYS[0], None) as nobody:
        answers = [nobody.ask(kind, **members) for kind, members in [
            ("status", {}), ("command", {"topic": "room.a", "data": {}}), ("command", {"topic": "nothing.here", "data": {}}),
            *(("subscribe", {"topics": asked, "since": "0"}) for asked in ASKS),
            *(("unsubscribe", {"topics": asked}) for asked in ASKS)]]
        assert {(answer["code"], answer["message"]) for answer in answers} == {(answers[0]["code"], answers[0]["message"])}
        assert answers[0]["code"] == "unauthorized" and nobody.words == []


def test_no_cursor_and_no_name_tells_what_others_have(matrix_bridge):
    """Asked for what exists and for what does not, in the same way, a token without the right gets the same answers."""
    bridge, tokens, sources = matrix_bridge
    Matrix(bridge, tokens, sources)
    pairs = [("user.bob.1", "user.bob.7"), ("log.b", "log.q")]
    for right, (there, not_there) in itertools.product(("one", "own", "presence"), pairs):
        for since in (None, "0"):
            told = []
            for asked in (there, not_there):
                with Asker(bridge, WAYS[3], tokens[right, "file"], topics="") as asker:
                    requests = [asker.ask(kind, topics=asked, **({"since": since} if since else {}))
                                for kind in ("subscribe", "unsubscribe")]
                    told.append((json.dumps(requests).replace(asked, "?"), asker.words, asker.settle()["topics"]))
                with Asker(bridge, WAYS[3], tokens[right, "file"], topics=asked, since=since) as asker:
                    told[-1] += (asker.wait_closed(), asker.words)
            assert told[0] == told[1], right
