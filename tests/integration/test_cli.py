"""The command line against the real bridge: what it prints, what it returns, and how it comes back."""
import functools
import http.server
import json
import os
import pathlib
import pty
import signal
import socket
import subprocess
import threading

import pytest
import yaml

from harness.bridge import BINARY, bridge_environment
from harness.tokens import tokens
from harness.wait import TIMEOUT, eventually, free_port

TRESTLE = pathlib.Path(os.environ.get("TRESTLE_BIN") or BINARY.parent) / "trestle"
EVENT = '{"type":"greeting","n":1}'


def environment(bridge):
    extra = {"TZ": "UTC"}
    if bridge:
        extra |= {"TRESTLE_URL": bridge.ws_url(token=None), "TRESTLE_TOKEN": bridge.token}
    return bridge_environment(extra)


def trestle(bridge, *arguments, stdin="", timeout=3 * TIMEOUT, **options):
    return subprocess.run([TRESTLE, *arguments], input=stdin, capture_output=True, text=True, timeout=timeout,
                          env=environment(bridge), **options)


def sockets(bridge):
    return "--events", bridge.events_addr, "--control", bridge.control_addr


def pub(bridge, *arguments, stdin=""):
    return trestle(bridge, "pub", *sockets(bridge), *arguments, stdin=stdin)


@pytest.fixture
def started(closing):
    """started(bridge, argument…): a program that runs on, its output in files."""
    class Started:
        def __init__(self, bridge, folder, arguments):
            self.out_path, self.err_path = folder / "out", folder / "err"
            with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
                self.process = subprocess.Popen([TRESTLE, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                                env=environment(bridge))

        def out(self):
            return self.out_path.read_text()

        def err(self):
            return self.err_path.read_text()

        def lines(self):
            return [json.loads(line) for line in self.out().splitlines()]

        def end(self, with_signal=signal.SIGTERM):
            self.process.send_signal(with_signal)
            return self.process.wait(TIMEOUT)

        def close(self):
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    return lambda bridge, folder, *arguments: closing(Started(bridge, folder, arguments))


def wait_for_session(bridge, count=1):
    bridge.wait_status(lambda status: len(status["sessions"]) == count, f"{count} sessions")


# --- pub ----------------------------------------------------------------------------------------------------------------


def test_pub_one_event_and_see_it_in_the_status(bridge):
    done = pub(bridge, "--id", "one-shot", '{"type":"queue-update","waiting":[]}')
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    status = bridge.status()
    assert any(one["id"] == "one-shot" and one["events"] == 1 for one in status["producers"])
    assert any(one["topic"] == "queue-update" for one in status["topics"])


def test_pub_lines_reach_tail_unchanged_and_in_order(bridge, started, tmp_path):
    lines = [f'{{ "type": "bulk", "n": {n}, "x": 1.50 }}' for n in range(5000)]
    tail = started(bridge, tmp_path, "tail", "bulk", "--count", "5000")
    wait_for_session(bridge)
    assert pub(bridge, stdin="\n".join(lines)).returncode == 0
    assert tail.process.wait(3 * TIMEOUT) == 0
    assert tail.out().splitlines() == lines


def test_pub_names_bad_lines_and_publishes_the_rest(bridge, started, tmp_path):
    tail = started(bridge, tmp_path, "tail", "--count", "2")
    wait_for_session(bridge)
    done = pub(bridge, stdin='{"type":"a"}\n\nnope\n{"type":"b"}\n{"x":1}\n')
    assert done.returncode == 2
    assert done.stderr == ("trestle pub: line 3: not_json: not JSON\n"
                           'trestle pub: line 5: no_type: there is no string member "type"\n')
    assert tail.process.wait(TIMEOUT) == 0
    assert [event["type"] for event in tail.lines()] == ["a", "b"]


def test_pub_without_ack_loses_nothing_to_a_slow_join(bridge, started, tmp_path):
    tail = started(bridge, tmp_path, "tail", "greeting", "--count", "5")
    wait_for_session(bridge)
    for _ in range(5):
        assert trestle(bridge, "pub", "--no-ack", "--events", bridge.events_addr, EVENT).returncode == 0
    assert tail.process.wait(TIMEOUT) == 0


def test_pub_to_several_bridges(trestled):
    one, two = trestled(), trestled()
    assert trestle(one, "pub", *sockets(one), *sockets(two), "--id", "both", EVENT).returncode == 0
    for bridge in (one, two):
        assert any(producer["id"] == "both" for producer in bridge.status()["producers"])


@pytest.mark.parametrize("arguments, code, words", [
    (["--timeout", "300ms", EVENT], 3, "no answer from the bridge"),
    (["--timeout", "300ms", "--no-ack", EVENT], 3, "is trestled running?"),
    (["not json"], 2, "trestle pub: not_json"),
    (["--topic", "other", EVENT], 2, "topic_mismatch"),
    (["--id", "a b", EVENT], 2, "A-Z a-z 0-9"),
    (["--events", "tcp://127.0.0.1:1", EVENT], 2, "every bridge needs"),
    (["--timeout", "3", EVENT], 2, "--timeout"),
])
def test_pub_says_why_it_failed(arguments, code, words):
    nobody = f"tcp://127.0.0.1:{free_port()}"
    done = trestle(None, "pub", "--events", nobody, "--control", nobody, *arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr + done.stdout


# --- tail ---------------------------------------------------------------------------------------------------------------


def test_tail_prints_the_snapshot_with_meta(bridge):
    assert pub(bridge, '{"type":"queue-update","waiting":[7]}').returncode == 0
    done = trestle(bridge, "tail", "--count", "1", "--meta", "queue-update")
    envelope = json.loads(done.stdout)
    assert envelope["data"] == {"type": "queue-update", "waiting": [7]}
    assert envelope["meta"]["topic"] == "queue-update"


def test_tail_is_pretty_on_a_terminal(bridge):
    assert pub(bridge, '{"type":"command-progress","id":"7","currentStep":"UPLOADING","percentage":50}').returncode == 0
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run([TRESTLE, "tail", "--count", "1", "command-progress.*"], stdin=subprocess.DEVNULL,
                              stdout=theirs, env=environment(bridge), timeout=TIMEOUT)
        text = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert "command-progress.7" in text and "50.0%" in text and "UPLOADING" in text and "\033[" in text


def test_tail_comes_back_after_a_crash_without_repeating(bridge, started, tmp_path):
    tail = started(bridge, tmp_path, "tail", "greeting")
    wait_for_session(bridge)
    assert pub(bridge, '{"type":"greeting","n":1}').returncode == 0
    eventually(lambda: len(tail.lines()) == 1, "the first event")
    bridge.kill9()
    eventually(lambda: "trying again" in tail.err(), "tail notices")
    bridge.restart()
    wait_for_session(bridge)
    assert pub(bridge, '{"type":"greeting","n":2}').returncode == 0
    eventually(lambda: [event["n"] for event in tail.lines()] == [1, 2], "the second event")
    assert tail.end() == 0


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_tail_ends_cleanly(bridge, started, tmp_path, ending):
    tail = started(bridge, tmp_path, "tail")
    wait_for_session(bridge)
    assert tail.end(ending) == 0
    assert tail.err() == ""
    wait_for_session(bridge, 0)


def test_tail_into_a_closed_pipe_ends_quietly(bridge):
    tail = subprocess.Popen([TRESTLE, "tail"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(bridge))
    try:
        wait_for_session(bridge)
        tail.stdout.close()
        assert pub(bridge, EVENT).returncode == 0
        assert tail.wait(TIMEOUT) == 0
        assert tail.stderr.read() == b""
    finally:
        tail.kill()
        tail.wait()
        tail.stderr.close()


@pytest.mark.parametrize("arguments, code, words", [
    (["--token", "wrong"], 4, "no valid token"),
    (["a..b"], 2, "segment 2 is empty"),
    (["ws://localhost:3001/?token=wrong"], 2, "put --url before it"),
    (["--since", "nonsense"], 2, "since must be"),
    (["--url", "localhost:3001"], 2, "must be like ws://"),
    (["--url", ""], 2, "must be like ws://"),
    (["greeting", ""], 2, "trestle tail: a topic is empty"),
    (["--count", "0"], 2, "trestle tail: --count"),
])
def test_tail_does_not_come_back_from_what_will_not_change(bridge, arguments, code, words):
    done = trestle(bridge, "tail", *arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert bridge.token not in done.stderr and "wrong" not in done.stderr


@pytest.mark.parametrize("command", [["tail"], ["status"], ["bench", "--clients", "1"]])
def test_without_a_token_it_says_where_one_comes_from(trestled, command):
    bridge = trestled({"auth": {"timeout": "100ms"}})
    bridge.token = ""
    done = trestle(bridge, *command)
    assert done.returncode == 4, done.stderr
    assert all(words in done.stderr for words in ("--token", "TRESTLE_TOKEN", "first start", "?token=", "token create"))


# --- what others can see of it --------------------------------------------------------------------------------------------


def shown(process, what):
    """/proc/PID/cmdline or environ, one item a line."""
    return pathlib.Path(f"/proc/{process.pid}/{what}").read_text().replace("\0", "\n")


WAYS_TO_GIVE_A_TOKEN = {
    "option": lambda bridge: ["--token", bridge.token],
    "option in one": lambda bridge: [f"--token={bridge.token}"],
    "address": lambda bridge: ["--url", bridge.ws_url(x="1")],
    "address in one": lambda bridge: ["--url=" + bridge.ws_url(x="1")],
}


@pytest.mark.parametrize("way", WAYS_TO_GIVE_A_TOKEN)
@pytest.mark.parametrize("command", [["tail", "greeting"], ["bench", "greeting", "--clients", "1", "--for", "1h"]])
def test_a_token_does_not_stay_in_the_process_list(bridge, started, tmp_path, way, command):
    running = started(bridge, tmp_path, *command, *WAYS_TO_GIVE_A_TOKEN[way](bridge))
    wait_for_session(bridge)
    seen = shown(running.process, "cmdline")
    assert bridge.token not in seen and "*" * len(bridge.token) in seen
    assert f"{command[0]}\ngreeting\n" in seen
    assert bridge.token not in shown(running.process, "environ")
    assert running.end() == 0


def test_nor_does_it_while_the_status_is_awaited(bridge, started, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(TIMEOUT)
        running = started(bridge, tmp_path, "status", "--token", bridge.token, "--url",
                          bridge.ws_url(port=silent.getsockname()[1]))
        with silent.accept()[0]:
            seen = shown(running.process, "cmdline")
    assert "status\n--token\n*" in seen and bridge.token not in seen


@pytest.mark.parametrize("in_the_address", [False, True])
def test_a_token_does_not_stay_in_the_environment(bridge, tmp_path, in_the_address):
    extra = {"TRESTLE_URL": bridge.ws_url()} if in_the_address else {}
    variables = {**environment(bridge), **extra, "UNRELATED": "stays"}
    if in_the_address:
        del variables["TRESTLE_TOKEN"]
    tail = subprocess.Popen([TRESTLE, "tail"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=variables)
    try:
        wait_for_session(bridge)
        seen = shown(tail, "environ")
        assert bridge.token not in seen and "UNRELATED=stays" in seen
    finally:
        tail.terminate()
        assert tail.wait(TIMEOUT) == 0


def test_wrong_usage_does_not_repeat_a_token(bridge):
    done = trestle(bridge, "status", bridge.ws_url(x="1"))
    assert done.returncode == 2 and done.stderr.startswith("trestle status: ") and bridge.token not in done.stderr
    web = bridge.ws_url(x="1").replace("ws:", "http:")
    for command in (["bench", web], ["pub", "--no-ack", "--events", web, EVENT], ["bus", "--insecure", "--front", web]):
        done = trestle(bridge, *command)
        assert done.returncode == 2 and done.stderr.startswith(f"trestle {command[0]}: ") and bridge.token not in done.stderr


# --- over TLS -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def identity(authority):
    """For localhost and 127.0.0.1."""
    return authority.issue("cli")


def over_tls(trestled, pair):
    """A bridge that also listens for TLS, at `tls_port`."""
    certificate, key = pair
    port = free_port()
    bridge = trestled({"listen": [{"address": "127.0.0.1", "port": 0}, {"address": "127.0.0.1", "port": port, "tls": True}],
                       "tls": {"certificate": str(certificate), "key": str(key)}})
    bridge.tls_port = port
    return bridge


def secure_url(bridge, host="localhost"):
    return "--url", f"wss://{host}:{bridge.tls_port}/"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_tail_over_tls(trestled, publisher, authority, identity, started, tmp_path, host):
    bridge = over_tls(trestled, identity)
    tail = started(bridge, tmp_path, "tail", *secure_url(bridge, host), "--cacert", authority.root, "--count", "1")
    eventually(lambda: pub(bridge, EVENT).returncode == 0 and tail.process.poll() is not None, "tail has seen one")
    assert (tail.process.returncode, tail.err(), tail.lines()) == (0, "", [json.loads(EVENT)])


def test_tail_over_tls_comes_back(trestled, authority, identity, started, tmp_path):
    bridge = over_tls(trestled, identity)
    tail = started(bridge, tmp_path, "tail", *secure_url(bridge), "--cacert", authority.root)
    eventually(lambda: pub(bridge, EVENT).returncode == 0 and tail.lines(), "the first event")
    bridge.kill9()
    eventually(lambda: "trying again" in tail.err(), "tail notices")
    bridge.restart()
    seen = len(tail.lines())
    eventually(lambda: pub(bridge, EVENT).returncode == 0 and len(tail.lines()) > seen, "another event")
    assert tail.end() == 0


@pytest.mark.parametrize("command", [["tail", "--count", "1"], ["status"], ["bench", "--clients", "1", "--for", "100ms"]])
@pytest.mark.parametrize("trusted, name, words", [
    (False, True, "certificate"),
    (True, False, "localhost"),
])
def test_a_certificate_that_is_not_the_bridges_own_is_refused(trestled, authority, identity, command, trusted, name, words):
    pair = identity if name else authority.issue("elsewhere", san="DNS:elsewhere.example")
    bridge = over_tls(trestled, pair)
    trust = ["--cacert", authority.root] if trusted else []
    done = trestle(bridge, *command, *secure_url(bridge), *trust)
    assert done.returncode == 1, done.stderr
    assert words in done.stderr and len(done.stderr.splitlines()) == 1 and bridge.token not in done.stderr
    assert command[0] != "tail" or "--cacert" in done.stderr


def test_status_and_bench_over_tls(trestled, authority, identity):
    bridge = over_tls(trestled, identity)
    trust = *secure_url(bridge), "--cacert", authority.root
    assert trestle(bridge, "status", *trust).returncode == 0
    done = trestle(bridge, "bench", *trust, "--events", bridge.events_addr, "--clients", "3", "--count", "20", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["deliveries"] == 60


def test_over_tls_with_nobody_there_or_no_certificates(started, tmp_path):
    address = "--url", f"wss://localhost:{free_port()}/"
    tail = started(None, tmp_path, "tail", *address)
    eventually(lambda: "Connection refused; trying again" in tail.err(), "tail notices")
    assert tail.end() == 0
    for command in ("status", "bench"):
        assert trestle(None, command, *address).returncode == 1
    none = tmp_path / "none.pem"
    none.write_text("no certificate")
    done = trestle(None, "tail", *address, "--cacert", none)
    assert done.returncode == 2 and str(none) in done.stderr


# --- status, bus, token, completion -------------------------------------------------------------------------------------


@pytest.fixture
def operated(trestled):
    """A bridge whose token may do everything."""
    file, (admin,) = tokens({"name": "operator", "scopes": ["admin", "read"]})
    bridge = trestled({"auth": {"token": None}}, files={"tokens.yaml": file})
    bridge.token = admin
    return bridge


def test_status_as_tables_and_as_json(operated):
    assert pub(operated, "--id", "shown", '{"type":"queue-update"}').returncode == 0
    text = trestle(operated, "status")
    assert text.returncode == 0, text.stderr
    for words in ("trestled ", "producers: 1", "shown", "queue-update", "rejected: none"):
        assert words in text.stdout
    data = json.loads(trestle(operated, "status", "--json").stdout)
    assert data["success"] is True and data["data"]["producers"][0]["id"] == "shown"


def test_status_refused_or_nobody_there(operated):
    assert trestle(operated, "status", "--token", "wrong").returncode == 4
    done = trestle(operated, "status", "--url", f"ws://127.0.0.1:{free_port()}/")
    assert done.returncode == 1 and "no answer from" in done.stderr


def test_status_of_what_is_no_trestle(operated, tmp_path):
    ingest = operated.control_addr.replace("tcp:", "ws:")
    done = trestle(operated, "status", "--url", ingest)
    assert done.returncode == 1 and "does not speak HTTP: that is no Trestle" in done.stderr

    (tmp_path / "api").mkdir()
    (tmp_path / "api/status").write_text("<html>")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        url = f"ws://127.0.0.1:{other.server_port}"
        for arguments in (["--url", url], ["--url", url, "--json"], ["--url", url + "/elsewhere/"]):
            done = trestle(operated, "status", *arguments)
            assert done.returncode == 1 and "that is no Trestle" in done.stderr and not done.stdout
        done = trestle(operated, "tail", "--url", url)
        assert done.returncode == 2 and "no WebSocket endpoint" in done.stderr
        other.shutdown()


def test_keygen_says_where_the_keys_go(tmp_path):
    done = trestle(None, "keygen", "worker.key", "--id", "worker", cwd=tmp_path)
    assert done.returncode == 0 and yaml.safe_load(done.stdout)[0]["ids"] == ["worker"]
    assert all(words in done.stderr for words in (
        "worker.key, the key pair, is secret", "worker.key.pub, the public key alone", "--curve-key", "--curve-server",
        "--curve-bus", "ingest.curve.secret_key_file", "ingest.curve.server_keys", "ingest.curve.producers_file"))


# --- bench --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("rate", ["0", "500"])
def test_bench_counts_every_delivery_and_how_late_it_was(bridge, rate):
    done = trestle(bridge, "bench", "--events", bridge.events_addr, "--clients", "20", "--count", "100", "--rate", rate,
                   "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["deliveries"] == said["expected"] == 20 * 100
    latency = said["latency_ms"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["p99.9"] <= latency["max"] <= said["seconds"] * 1000 + 1


def test_bench_only_listens_without_events(bridge, started, tmp_path):
    listening = started(bridge, tmp_path, "bench", "--clients", "3", "--json", "greeting")
    wait_for_session(bridge, 3)
    assert pub(bridge, "-", stdin=EVENT + "\n" + EVENT + "\n" + '{"type":"other"}').returncode == 0
    bridge.wait_status(lambda status: sum(one["sent"] for one in status["sessions"]) >= 6, "both greetings at all three")
    assert listening.end() == 0
    assert json.loads(listening.out())["deliveries"] == 6


def test_bench_says_why_it_failed(bridge):
    refused = trestle(bridge, "bench", "--token", "wrong", "--clients", "1")
    assert refused.returncode == 4 and "no valid token" in refused.stderr
    nobody = trestle(None, "bench", "--url", f"ws://127.0.0.1:{free_port()}", "--clients", "1")
    assert nobody.returncode == 1 and "nobody listens" in nobody.stderr
    both = trestle(bridge, "bench", "--events", bridge.events_addr, "greeting")
    assert both.returncode == 2 and "listening only" in both.stderr
    empty = trestle(bridge, "bench", "")
    assert empty.returncode == 2 and "trestle bench: a topic is empty" in empty.stderr


def test_bus_joins_producers_and_bridges(trestled, started, tmp_path):
    front, back = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
    bus = started(None, tmp_path, "bus", "--front", front, "--back", back)
    bridge = trestled({"ingest": {"bind": [], "connect": [back]}})
    assert trestle(bridge, "pub", "--no-ack", "--events", front, EVENT).returncode == 0
    far = ["--events", front, "--control", bridge.control_addr, "--id", "far"]
    done = trestle(bridge, "pub", *far, stdin=(EVENT + "\n") * 100)
    assert done.returncode == 0, done.stderr
    assert [one["events"] for one in bridge.status()["producers"]] == [100]
    assert bus.end() == 0
    assert "trestle bus: 101 events" in bus.err()


def test_bus_refuses_to_be_open_to_everybody():
    done = trestle(None, "bus", "--front", f"tcp://0.0.0.0:{free_port()}")
    assert done.returncode == 2 and "--insecure" in done.stderr


def test_tokens_from_creation_to_revocation(trestled, tmp_path):
    file = tmp_path / "tokens.yaml"
    made = trestle(None, "token", "create", "--file", file, "--name", "reader", "--scope", "read:greeting",
                   "--expires", "30d")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert file.stat().st_mode & 0o777 == 0o600
    assert token not in file.read_text()
    listed = trestle(None, "token", "list", "--file", file).stdout
    assert "reader" in listed and "read:greeting" in listed and "expires 2" in listed and token not in listed
    again = trestle(None, "token", "create", "--file", file, "--name", "reader")
    assert again.returncode == 2 and "already" in again.stderr

    bridge = trestled({"auth": {"token": None, "tokens_file": str(file)}})
    bridge.token = token
    assert "does not allow" in trestle(bridge, "tail", "other").stderr
    watching = subprocess.Popen([TRESTLE, "tail", "--count", "1", "greeting"], stdout=subprocess.PIPE, text=True,
                                env=environment(bridge))
    try:
        eventually(lambda: pub(bridge, EVENT).returncode == 0 and watching.poll() is not None, "tail has seen one")
        assert json.loads(watching.stdout.read()) == json.loads(EVENT)
    finally:
        watching.kill()
        watching.wait()
        watching.stdout.close()

    assert trestle(None, "token", "revoke", "--file", file, "--name", "reader").returncode == 0
    assert trestle(None, "token", "revoke", "--file", file, "--name", "reader").returncode == 2
    bridge.process.send_signal(signal.SIGHUP)
    eventually(lambda: bridge.http("/api/status", token=token)[0] == 401, "the token is worth nothing")


def at_once(*commands):
    """`trestle token …` for each, all at the same time; what each printed."""
    running = [subprocess.Popen([TRESTLE, "token", *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True) for command in commands]
    done = [(process.communicate(timeout=3 * TIMEOUT), process.returncode) for process in running]
    assert [code for _, code in done] == [0] * len(done), done
    return [out.strip() for (out, _), _ in done]


def test_tokens_made_and_revoked_at_the_same_time_are_all_there(tmp_path):
    file, revoked = tmp_path / "tokens.yaml", tmp_path / "revoked.yaml"
    made = at_once(*[("create", "--file", file, "--name", f"t{n}") for n in range(10)])
    assert len(set(made)) == 10
    assert sorted(entry["name"] for entry in yaml.safe_load(file.read_text())["tokens"]) == [f"t{n}" for n in range(10)]
    at_once(*[("revoke", "--file", file, "--name", f"t{n}") for n in range(5)],
            *[("revoke", "--revoked-file", revoked, "--jti", f"j{n}") for n in range(15)],
            *[("revoke", "--revoked-file", revoked, "--subject", f"s{n}") for n in range(5)])
    assert sorted(entry["name"] for entry in yaml.safe_load(file.read_text())["tokens"]) == [f"t{n}" for n in range(5, 10)]
    entries = yaml.safe_load(revoked.read_text())
    assert set(entries["jti"]) == {f"j{n}" for n in range(15)}
    assert set(entries["issued_before"]) == {f"s{n}" for n in range(5)}


@pytest.fixture
def linked(tmp_path):
    """linked("tokens.yaml"): a file of that name that need not be there, and a link to it in another folder."""
    for folder in ("real", "links"):
        (tmp_path / folder).mkdir()

    def make(name):
        link, real = tmp_path / "links" / name, tmp_path / "real" / name
        link.symlink_to(pathlib.Path("..") / "real" / name)
        return link, real
    return make


def names_in(file):
    return sorted(entry["name"] for entry in yaml.safe_load(file.read_text())["tokens"])


def test_a_token_revoked_through_a_link_is_worth_nothing(trestled, linked):
    link, real = linked("tokens.yaml")
    token, = at_once(("create", "--file", link, "--name", "reader"))
    bridge = trestled({"auth": {"token": None, "tokens_file": str(real)}})
    assert bridge.http("/api/status", token=token)[0] == 200
    at_once(("create", "--file", link, "--name", "other"), ("revoke", "--file", link, "--name", "reader"))
    eventually(lambda: bridge.http("/api/status", token=token)[0] == 401, "the token is worth nothing")
    assert names_in(real) == ["other"] and real.stat().st_mode & 0o777 == 0o600
    assert link.is_symlink() and [path.name for path in link.parent.iterdir()] == ["tokens.yaml"]


def test_changes_through_a_link_and_to_the_file_itself_are_all_there(linked):
    link, real = linked("tokens.yaml")
    revoked_link, revoked = linked("revoked.yaml")
    at_once(*[("create", "--file", (link, real)[n % 2], "--name", f"t{n}") for n in range(12)])
    at_once(*[("revoke", "--file", (link, real)[n % 2], "--name", f"t{n}") for n in range(8)],
            *[("revoke", "--revoked-file", (revoked_link, revoked)[n % 2], "--jti", f"j{n}") for n in range(8)])
    assert names_in(real) == sorted(f"t{n}" for n in range(8, 12))
    assert set(yaml.safe_load(revoked.read_text())["jti"]) == {f"j{n}" for n in range(8)}
    assert link.is_symlink() and revoked_link.is_symlink()


def test_the_first_start_writes_through_a_link(make_bridge, linked):
    link, real = linked("tokens.yaml")
    bridge = make_bridge({"auth": {"token": None, "tokens_file": str(link)}})
    bridge.start()
    assert "?token=" in bridge.stdout()
    assert link.is_symlink() and names_in(real) == ["first-start"] and real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("scope", ["reed", "read:a..b"])
def test_a_bad_scope_makes_no_token(tmp_path, scope):
    file = tmp_path / "tokens.yaml"
    done = trestle(None, "token", "create", "--file", file, "--name", "x", "--scope", scope)
    assert done.returncode == 2 and scope in done.stderr
    assert not file.exists()


def test_version_and_help():
    assert trestle(None, "--version").stdout.startswith("trestle 0.")
    assert "Exit codes:" in trestle(None, "--help").stdout
    assert trestle(None).returncode == 2
    for command in ("pub", "tail", "status", "bus", "token", "completion"):
        assert "Examples:" in trestle(None, command, "--help").stdout


def test_completion_scripts_are_understood_by_their_shell():
    script = trestle(None, "completion", "bash").stdout
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, timeout=TIMEOUT)
    assert (checked.returncode, checked.stderr) == (0, "")
