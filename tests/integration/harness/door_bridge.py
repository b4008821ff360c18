"""A bridge with something of everything, tokens of every worth for it, and who publishes there."""
import hashlib
import secrets
import time

import yaml

from .bridge import TOKEN
from .client import Client
from .door_oracle import Event, Right, World
from .issuer import Issuer, by_hand
from .producer import Control, Publisher

ANYBODY = Right("anonymous", ("read",))
STATIC = Right("static", ("read", "read:$sys.>", "see"))
RIGHTS = [Right("none", ("publish", "command")), Right("one", ("read:room.a",)), Right("two", ("read:log.a", "read:room.b")),
          Right("pattern", ("read:room.*",)), Right("deep", ("read:room.>", "read:log.>")), Right("middle", ("read:*.a",)),
          Right("own", ("read:user.{sub}.>",), "alice"), Right("other", ("read:user.{sub}.>",), "bob"),
          Right("star", ("read:user.{sub}.>",), "*"), Right("rest", ("read:user.{sub}.>",), ">"),
          Right("dots", ("read:user.{sub}.>",), "alice.1"), Right("all", ("read",)), Right("sees", ("read:room.>", "see:secrets")),
          Right("sees other", ("read", "see:other")), Right("presence", ("read:$sys.producer.*",)), Right("admin", ("admin",)),
          Right("operator", ("read", "admin"))]
NOBODY = Right("nobody", ("read:user.{sub}.>", "read:log.a"), "")   # a JWT only: a token file has no empty names
# What there is: policies, what they keep, and a topic of each.
POLICIES = [{"match": match, "keep": keep, "redact": {"members": ["/secret"], "unless": "secrets"}}
          for match, keep in (("room.>", "latest"), ("user.>", "latest"), ("log.>", "log"), ("blink.>", "none"))]
KEEP = {"room": "latest", "user": "latest", "log": "log", "blink": "none"}
PUBLISHED = ["room.a", "log.a", "user.bob.1", "room.b", "blink.a", "log.b", "user.alice.1", "room.a.deep"]


def word():
    return "word-" + secrets.token_hex(6)


class Tokens(dict):
    """{(name of the right, kind): token}; `bad`: {what is wrong: (token, close code)}."""

    def __init__(self, issuer):
        super().__init__()
        self.issuer, self.bad, self.entries = issuer, {}, []
        now = int(time.time())
        for right in [*RIGHTS, NOBODY]:
            self[right.name, "jwt"] = self.jwt(right)
            if right is not NOBODY:
                self[right.name, "file"] = self.in_file(right.bearer, right.scopes)
        self["static", "static"] = TOKEN
        expired = self.in_file("expired", ["read"], expires="2026-01-02T00:00:00Z")
        stranger = Issuer(kid=issuer.kid)
        for what, code, token in [
                ("unknown", 4401, "no-such-token"), ("cut", 4401, self["all", "file"][:-1]), ("expired", 4409, expired),
                ("JWT, expired", 4409, self.jwt(STATIC, exp=now - 60)), ("JWT, not yet", 4401, self.jwt(STATIC, nbf=now + 600)),
                ("JWT, another audience", 4401, self.jwt(STATIC, aud="them")),
                ("JWT, no audience", 4401, self.jwt(STATIC, aud=None)),
                ("JWT, another issuer", 4401, self.jwt(STATIC, iss="them")), ("JWT, revoked", 4401, self.jwt(STATIC, jti="stolen")),
                ("JWT, another key", 4401, stranger.token(sub="static", scope="read admin", iss="us", aud="trestle")),
                ("JWT, none", 4401, by_hand('{"alg":"none"}', '{"sub":"alice","scope":"read","aud":"trestle","iss":"us"}'))]:
            self.bad[what] = token, code

    def jwt(self, right, **claims):
        own = {"sub": right.bearer, "scope": "openid email " + " ".join(right.scopes), "jti": right.name}
        return self.issuer.token(**{**own, "iss": "us", "aud": "trestle", **claims})

    def in_file(self, name, scopes, **more):
        token = secrets.token_urlsafe(32)
        self.entries.append({"name": name, "scopes": list(scopes), "sha256": hashlib.sha256(token.encode()).hexdigest(), **more})
        return token

    def text(self):
        return yaml.safe_dump({"tokens": self.entries})


class Sources:
    """Publishes into the world, and keeps a watcher who may read all of it."""

    def __init__(self, bridge):
        self.world = World()
        self.publisher = Publisher(bridge.events_addr)
        self.watcher = Client(bridge.ws_url(topics=">,$sys.>", meta="1"))
        self.watcher.until("live")

    def publish(self, topics):
        """An event on each; returns them once they have been delivered."""
        events = [Event(topic, word(), word(), KEEP[topic.split(".")[0]]) for topic in topics]
        for event in events:
            self.publisher.event({"type": event.type, "mark": event.mark, "secret": event.secret}, topic=event.topic)
        events = [event._replace(offset=self.watcher.until(event.type, mark=event.mark)["meta"]["offset"]) for event in events]
        self.world.events += events
        return events

    def presence(self, bridge):
        """A producer that came and went: its id is the word."""
        producer = word()
        control = Control(bridge.control_addr, producer)
        control.hello()
        control.receive("welcome")
        control.send("bye", last=0)
        offset = self.watcher.until("$sys.producer", id=producer, state="gone")["meta"]["offset"]
        control.close()
        self.world.events.append(Event(f"$sys.producer.{producer}", producer, None, "latest", offset))

    def close(self):
        self.watcher.close()
        self.publisher.close()


def start(trestled, tmp_path, closing):
    """(bridge, tokens, sources)"""
    issuer = Issuer("ES256")
    tokens = Tokens(issuer)
    key = issuer.write_to(tmp_path / "key")
    bridge = trestled({
        "auth": {"tokens_file": "tokens.yaml", "revoked_file": "revoked.yaml", "jwt": {
            "keys": [key], "issuer": "us", "audience": ["trestle"], "leeway": "0ms"}},
        "endpoints": [{"path": "/"}, {"path": "/ws"}, {"path": "/plugin/ws", "format": "bare"}, {"path": "/open", "auth": "none"}],
        "topics": POLICIES, "shards": 1, "session": {"coalesce": "0ms"}, "limits": {"requests_per_second": 100_000},
        "heartbeat": {"enabled": False}}, files={"tokens.yaml": tokens.text(), "revoked.yaml": "jti: [stolen]\n"})
    return bridge, tokens, closing(Sources(bridge))
