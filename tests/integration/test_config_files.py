"""The files that a configuration names: what is wrong with one is said with the configuration's line and key."""
import os
import shutil
import sqlite3

import pytest

from harness.curve import KeyList, Keys
from harness.issuer import Issuer, jwks
from harness.tls import Authority
from harness.wait import free_port
from test_start_errors import refused


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Good files of every kind, to be copied: making keys is slow."""
    folder = tmp_path_factory.mktemp("files")
    authority = Authority(folder)
    for name in ("front", "other"):
        authority.issue(name)
    Keys(folder, "bridge")
    KeyList(folder / "producers.yaml")
    (folder / "tokens.yaml").write_text("tokens: []\n")
    (folder / "revoked.yaml").write_text("jti: [a]\n")
    Issuer().write_to(folder / "secret")
    (folder / "keys.json").write_text(jwks(Issuer("ES256", kid="other")))
    for file in folder.iterdir():
        file.chmod(0o600)
    return folder


CONFIG = """\
listen: {{address: 127.0.0.1, port: 0, tls: true}}
tls:
  certificate: front.pem
  key: front.key
  client_ca: root.pem
auth:
  tokens_file: tokens.yaml
  revoked_file: revoked.yaml
  jwt:
    keys: [{{kid: k, algorithm: HS256, file: secret}}]
    jwks_file: keys.json
ingest:
  bind: ["tcp://127.0.0.1:{port}"]
  control: ""
  curve:
    secret_key_file: bridge.key
    producers_file: producers.yaml
stream:
  path: trestle.db
log: {{format: json}}
"""


@pytest.fixture
def configured(make_bridge, made):
    """configured(args): a bridge whose configuration names a good file of every kind, beside it."""
    def make(args=()):
        bridge = make_bridge(CONFIG.format(port=free_port()), args=args)
        for file in made.iterdir():
            shutil.copy(file, bridge.folder)                        # with its mode
        return bridge
    return make


def mode(name, bits):
    return lambda folder: (folder / name).chmod(bits)


def gone(name):
    return lambda folder: (folder / name).unlink()


def pipe(name):
    """Whoever opens it as any other file waits for a writer, for ever."""
    def put(folder):
        (folder / name).unlink()
        os.mkfifo(folder / name, 0o600)
    return put


def text(name, content):
    return lambda folder: (folder / name).write_text(content)


def copied(source, target):
    return lambda folder: shutil.copy(folder / source, folder / target)


FAULTS = {
    "no certificate": (gone("front.pem"), "3:16: tls.certificate: ", ["front.pem: No such file"]),
    "a certificate that is none": (text("front.pem", "x\n"), "3:16: tls.certificate: ", ["front.pem: "]),
    "a key for everybody": (mode("front.key", 0o644), "4:8: tls.key: ", ["chmod 600", "tls.insecure: true"]),
    "no key": (gone("front.key"), "4:8: tls.key: ", ["front.key: No such file"]),
    "another's key": (copied("other.key", "front.key"), "4:8: tls.key: ", ["does not belong to the certificate"]),
    "no authority": (gone("root.pem"), "5:14: tls.client_ca: ", ["root.pem: No such file"]),
    "an authority that all can change": (mode("root.pem", 0o666), "5:14: tls.client_ca: ", ["chmod o-w"]),
    "tokens for everybody": (mode("tokens.yaml", 0o644), "7:16: auth.tokens_file: ", ["tokens.yaml is a secret", "chmod 600"]),
    "broken tokens": (text("tokens.yaml", "tokens: 7\n"), "7:16: auth.tokens_file: ", ["tokens.yaml:1:9: tokens must be a list"]),
    "revocations that all can change": (mode("revoked.yaml", 0o666), "8:17: auth.revoked_file: ", ["chmod o-w"]),
    "broken revocations": (text("revoked.yaml", "jti: 7\n"), "8:17: auth.revoked_file: ", ["revoked.yaml:1:6: jti must be a list"]),
    "a CURVE key for everybody": (mode("bridge.key", 0o644), "16:22: ingest.curve.secret_key_file: ", ["is a secret", "chmod 600"]),
    "half a CURVE key": (copied("bridge.key.pub", "bridge.key"), "16:22: ingest.curve.secret_key_file: ", ["public key only"]),
    "no CURVE key": (gone("bridge.key"), "16:22: ingest.curve.secret_key_file: ", ["bridge.key: No such file"]),
    "producers that all can change": (mode("producers.yaml", 0o666), "17:21: ingest.curve.producers_file: ", ["chmod o-w"]),
    "no producers": (gone("producers.yaml"), "17:21: ingest.curve.producers_file: ", ["producers.yaml: No such file"]),
    "broken producers": (text("producers.yaml", "producers: 7\n"), "17:21: ingest.curve.producers_file: ", ["producers.yaml:1:12"]),
}
PLACES = {"front.pem": "3:16: tls.certificate: ", "front.key": "4:8: tls.key: ", "root.pem": "5:14: tls.client_ca: ",
          "tokens.yaml": "7:16: auth.tokens_file: ", "revoked.yaml": "8:17: auth.revoked_file: ",
          "secret": "10:12: auth.jwt.keys: ", "keys.json": "11:16: auth.jwt.jwks_file: ",
          "bridge.key": "16:22: ingest.curve.secret_key_file: ", "producers.yaml": "17:21: ingest.curve.producers_file: "}
FAULTS.update({f"a pipe for {name}": (pipe(name), place, [f"{name}: not a regular file, but a pipe"])
               for name, place in PLACES.items()})
FAULTS.update({f"a second document in {name}": (text(name, f"{good}---\nwhatever: 7\n"), PLACES[name],
                                                [f"{name}:2:1: a second document starts here"])
               for name, good in (("tokens.yaml", "tokens: []\n"), ("revoked.yaml", "jti: [a]\n"),
                                  ("producers.yaml", "producers: []\n"))})
WAYS = [(), ("--check",)]


@pytest.mark.parametrize("args", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_file_is_said_with_the_line_that_names_it(configured, args, fault):
    break_it, place, mentions = FAULTS[fault]
    bridge = configured(args)
    break_it(bridge.folder)
    said = refused(bridge, *mentions)
    assert said.startswith(f"trestled: {bridge.folder}/trestle.yaml:{place}"), said


@pytest.mark.parametrize("args", WAYS)
def test_a_file_that_the_environment_names_is_said_with_the_variable(configured, args):
    bridge = configured(args)
    bridge.env = {"TRESTLE_TLS_KEY": "elsewhere.key"}
    assert refused(bridge, "elsewhere.key").startswith("trestled: TRESTLE_TLS_KEY: ")


@pytest.mark.parametrize("args", WAYS)
def test_a_user_that_is_not_there_is_said_with_its_line(configured, args):
    bridge = configured(args)
    bridge.config += "user: no-such-user\n"
    place = f"{bridge.folder}/trestle.yaml:{len(bridge.config.splitlines())}:7: user: "
    refused(bridge, f'{place}there is no "no-such-user" on this machine')


# --- --check: all that a start would refuse, and nothing made or changed ------------------------------------------------------

def both_refuse(make_bridge, config, prepare, *mentions):
    """A start and --check, each in a fresh folder, say the same; --check leaves the folder as it was."""
    said = []
    for args in WAYS:
        bridge = make_bridge(config, args=args)
        prepare(bridge.folder)
        before = contents(bridge)
        said.append(refused(bridge, *mentions).replace(str(bridge.folder), "FOLDER"))
        assert not args or contents(bridge) == before
    assert said[0] == said[1]


def contents(bridge):
    """Every file in its folder but what the tests themselves write there."""
    ours = ("stdout", "stderr", "trestle.yaml")
    return {path.relative_to(bridge.folder): (path.stat().st_mtime_ns, path.stat().st_mode, path.is_file() and path.read_bytes())
            for path in bridge.folder.rglob("*") if not path.name.startswith(ours)}


def database(sql):
    def make(folder):
        with sqlite3.connect(folder / "trestle.db") as connection:
            connection.executescript(sql)
        connection.close()
    return make


def nothing(_folder):
    pass


@pytest.mark.parametrize("path, prepare, mentions", [
    ("nowhere/trestle.db", nothing, ["nowhere/trestle.db: there is no folder ", "/nowhere (create it, or set another stream.path)"]),
    ("trestle.db", lambda folder: (folder / "trestle.db").mkdir(), ["trestle.db: Is a directory"]),
    ("trestle.db", database("CREATE TABLE theirs(x)"), ["trestle.db: it is a database of another program"]),
    ("trestle.db", database("PRAGMA application_id=0x5472736c; PRAGMA user_version=99; CREATE TABLE log(x)"), ["it has version 99"]),
    ("100%#?.db", lambda folder: (database("CREATE TABLE x(y)")(folder), (folder / "trestle.db").rename(folder / "100%#?.db")),
     ["100%#?.db: it is a database of another program"]),
])
def test_a_journal_that_cannot_be_used(make_bridge, path, prepare, mentions):
    both_refuse(make_bridge, {"stream": {"path": path}}, prepare, "trestle.yaml:", ": stream.path: cannot use the journal ", *mentions)


@pytest.mark.parametrize("key", ["bind", "control"])
def test_a_path_that_cannot_be_bound(make_bridge, tmp_path, key):
    def with_path(name):
        address = f"ipc://{tmp_path}/{name}"
        return {"ingest": {key: [address] if key == "bind" else address}}
    (tmp_path / "notes").write_text("mine")
    both_refuse(make_bridge, with_path("nowhere/events"), nothing, f"cannot bind ingest.{key} to ", "there is no folder ", "create it")
    both_refuse(make_bridge, with_path("notes"), nothing, f"cannot bind ingest.{key} to ", "something that is no socket is there")


def test_a_folder_where_no_first_token_can_be_put(make_bridge):
    both_refuse(make_bridge, {"auth": {"token": None, "tokens_file": "nowhere/tokens.yaml"}}, nothing,
                "trestle.yaml:2:16: auth.tokens_file: cannot write ", "No such file", "the first start makes a token there")


def test_a_printed_token_is_none(make_bridge):
    both_refuse(make_bridge, {"auth": {"token": "***"}}, nothing, "trestle.yaml:2:10: auth.token: ", "put the real one in its place")


def test_check_makes_nothing_and_minds_nobody_who_runs(make_bridge, tmp_path):
    """Neither before the first start, nor beside the bridge that runs with the same configuration."""
    config = {"auth": {"token": None}, "stream": {"path": "trestle.db"}, "ingest": {"bind": [f"ipc://{tmp_path}/events"]}}
    bridge = make_bridge(config)

    def check():
        one = make_bridge(args=["--check"])
        one.config, one.folder = bridge.config, bridge.folder
        before = contents(bridge)
        one.runs = 10
        assert one.launch().exit_code() == 0, one.output()
        assert one.stdout() == "ok\n" and one.stderr() == ""
        assert contents(bridge) == before
    check()
    assert not contents(bridge) and not (tmp_path / "events.lock").exists()
    bridge.start()
    bridge.config["listen"]["port"] = bridge.port
    check()
    bridge.stop()
    check()
    bridge.start()


def test_a_certificate_that_no_listener_uses_is_not_looked_at(configured):
    for args in WAYS:
        bridge = configured(args)
        bridge.config = bridge.config.replace(", tls: true", "")
        (bridge.folder / "front.pem").unlink()
        if args:
            assert bridge.launch().exit_code() == 0, bridge.output()
        else:
            bridge.start()
