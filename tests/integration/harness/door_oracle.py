"""What a session has to be given and what not, worked out from the design's words (sections 1, 4, 5 and 8) and not from trestled:
rights cover a pattern when they hold of every topic that it can mean, tried out one by one."""
import functools
import itertools
import re
import string
from typing import NamedTuple

PLAIN = set(string.ascii_letters + string.digits + "_-")


@functools.lru_cache(None)
def expression(pattern):
    """`*` is one segment, a final `>` one or more; neither stands for a first segment that starts with $."""
    parts = []
    for place, segment in enumerate(pattern.split(".")):
        first = "(?![$])" if place == 0 else ""
        parts.append({"*": first + r"[^.]+", ">": first + r".+"}.get(segment) or re.escape(segment))
    return re.compile(r"\.".join(parts))


@functools.lru_cache(None)
def matches(pattern, topic):
    return expression(pattern).fullmatch(topic) is not None


@functools.lru_cache(None)
def covers(pattern, asked):
    """Tried with every topic of up to four segments, of those that the two name and one that neither does."""
    named = set(f"{pattern}.{asked}.unheard-of".split(".")) - {"*", ">"}
    topics = (".".join(parts) for count in (1, 2, 3, 4) for parts in itertools.product(sorted(named), repeat=count)
              if not any(part.startswith("$") for part in parts[1:]))
    meant = [topic for topic in topics if matches(asked, topic)]
    assert meant, f"{asked} means no topic of up to four segments"
    return all(matches(pattern, topic) for topic in meant)


def any_matches(patterns, topic):
    return any(matches(pattern, topic) for pattern in patterns)


def escaped(key):
    return "".join(byte if byte in PLAIN else "".join(f"%{number:02X}" for number in byte.encode()) for byte in key)


class Right(NamedTuple):
    """What a token is made with."""
    name: str
    scopes: tuple
    sub: str = None

    @property
    def bearer(self):
        return self.name if self.sub is None else self.sub

    def patterns(self):
        read = ["read:>" if scope == "read" else scope for scope in self.scopes]
        read = [scope[len("read:"):] for scope in read if scope.startswith("read:") and (self.bearer or "{sub}" not in scope)]
        read = [pattern.replace("{sub}", escaped(self.bearer)) for pattern in read]
        return read + (["$sys.>"] if "admin" in self.scopes else [])

    def may(self, asked):
        """True if all that it can mean may be read."""
        return any(covers(pattern, asked) for pattern in self.patterns())

    def readable(self):
        """Who names no topics gets these: what the token may read without the bridge's own."""
        return {pattern for pattern in self.patterns() if not pattern.startswith("$")}

    def sees(self):
        return bool({"see", "see:secrets", "admin"} & set(self.scopes))


class Event(NamedTuple):
    topic: str
    mark: str                                                       # a word that nobody can guess, in this event alone
    secret: str = None                                              # another, which policies redact
    keep: str = "none"
    offset: int = 0

    @property
    def type(self):
        return self.topic.split(".")[0]

    def words(self, right):
        return [self.mark] + ([self.secret] if self.secret and right.sees() else [])


class World:
    """What has been published, in the stream's order."""

    def __init__(self):
        self.events = []

    def kept(self, since=None):
        """What who joins is given: the newest of `latest` topics; with an offset what is kept and newer."""
        newest = {event.topic: event.offset for event in self.events if event.keep == "latest"}
        return [event for event in self.events if event.offset > (since or 0) and
                (newest.get(event.topic) == event.offset or event.keep == "log" and since is not None)]


class Expected:
    """A session as it has to be: `code` it is closed with, or `topics` it holds and `words` it has been given, in order."""

    def __init__(self, world):
        self.world, self.right, self.code = world, None, None
        self.topics, self.by_default, self.words = set(), False, []

    def connect(self, right, asked=None, since=None):
        self.right, self.by_default = right, asked is None
        wanted = right.readable() if asked is None else set(filter(None, asked.split(",")))
        if not all(right.may(pattern) for pattern in wanted):
            self.code = 4403
        else:
            self._hold(wanted, since)
        return self

    def subscribe(self, asked, since=None):
        """True if it is granted."""
        if not all(self.right.may(pattern) for pattern in asked.split(",")):
            return False
        self.by_default = False
        self._hold(self.topics | set(asked.split(",")), since)
        return True

    def unsubscribe(self, asked):
        self.topics = self.topics - set(asked.split(","))

    def renew(self, right):
        self.right = right
        if self.by_default:
            self._hold(right.readable(), None)                      # given is only what he could not read before
        else:
            self.topics = {pattern for pattern in self.topics if right.may(pattern)}
        return self

    def live(self, events):
        self.words += [word for event in events if any_matches(self.topics, event.topic) for word in event.words(self.right)]

    def _hold(self, wanted, since):
        for event in self.world.kept(since):
            if any_matches(wanted, event.topic) and not any_matches(self.topics, event.topic):
                self.words += event.words(self.right)
        self.topics = wanted
