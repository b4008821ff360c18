"""What stops a start: one line that says what to do, and exit code 2."""
import os
import pathlib
import shutil
import socket
import subprocess

import pytest

from harness.wait import eventually


def refused(bridge, *mentions):
    """Starts it, expects the refusal, and returns the one line."""
    bridge.launch()
    assert bridge.exit_code() == 2, bridge.output()
    lines = bridge.stderr().splitlines()
    assert len(lines) == 1, bridge.stderr()
    for text in mentions:
        assert str(text) in lines[0], lines[0]
    bridge.process = None                                           # its end has been judged
    return lines[0]


@pytest.fixture
def taken():
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("argument, words", [
    ("--chekc", "there is no option --chekc;"),
    ("--token=SECRET", "there is no option --token;"),
    ("SECRET", "a configuration behind -c;"),
])
def test_wrong_usage_is_one_line_without_values(make_bridge, argument, words):
    line = refused(make_bridge(args=(argument,)), words, "trestled --help")
    assert line.startswith("trestled: ") and "SECRET" not in line


def test_a_port_in_use(make_bridge, taken):
    refused(make_bridge({"listen": {"port": taken}}), ": listen.port: ", "127.0.0.1", taken, "in use")


def test_a_port_in_use_on_one_of_two_listeners(make_bridge, taken):
    refused(make_bridge({"listen": [{"address": "127.0.0.1", "port": 0}, {"address": "127.0.0.1", "port": taken}]}), taken)


def test_two_bridges_on_one_port(bridge, make_bridge):
    refused(make_bridge({"listen": {"port": bridge.port}}), bridge.port, "in use")
    assert bridge.healthy()


@pytest.mark.parametrize("section", ["bind", "control"])
def test_two_bridges_on_one_zeromq_port(bridge, make_bridge, section):
    address = bridge.events_addr if section == "bind" else bridge.control_addr
    refused(make_bridge({"ingest": {section: [address] if section == "bind" else address}}), address, "in use")
    assert bridge.healthy()


def test_two_bridges_on_one_ipc_path(trestled, make_bridge, publisher, connect, tmp_path):
    """ZeroMQ would steal the path from the first one silently."""
    address = f"ipc://{tmp_path}/events.sock"
    first = trestled({"ingest": {"bind": [address]}})
    refused(make_bridge({"ingest": {"bind": [address]}}), f"{tmp_path}/events.sock")
    first.events_addr = address
    client = connect(first)
    publisher(first).event({"type": "hello"})
    assert client.data()["type"] == "hello"


def test_an_address_of_another_machine(make_bridge):
    refused(make_bridge({"listen": {"address": "192.0.2.1"}}), "trestle.yaml:8:12: listen.address: ", "192.0.2.1",
            "this machine does not have that address", "set another listen.address")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to start trestled as somebody else")
def test_a_port_that_is_for_root(make_bridge):
    """Where the system keeps any for root."""
    bridge = make_bridge({"listen": {"port": 80}}, prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    if int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80 or not reachable_by_nobody(bridge):
        pytest.skip("this system lets nobody have the port, or not have the program")
    refused(bridge, "trestle.yaml:9:9: listen.port: cannot listen on 127.0.0.1:80: ", "ports below 1024 are for root",
            "set another listen.port")


@pytest.mark.parametrize("args", [(), ("--check",)])
def test_sockets_of_one_configuration_in_each_others_way(make_bridge, args):
    config = {"ingest": {"bind": ["tcp://127.0.0.1:5999"], "control": "tcp://127.0.0.1:5999"}, "stream": {"path": "trestle.db"}}
    bridge = make_bridge(config, args=args)
    refused(bridge, "trestle.yaml:6:12: ", 'ingest.control: "tcp://127.0.0.1:5999" is taken by ingest.bind', "a port of its own")
    assert not list(bridge.folder.glob("trestle.db*"))


def test_zeromq_beyond_loopback_needs_to_be_meant(make_bridge):
    refused(make_bridge({"ingest": {"bind": ["tcp://0.0.0.0:5556"]}}), "tcp://0.0.0.0:5556", "insecure")
    refused(make_bridge({"ingest": {"control": "tcp://*:5557"}}), "insecure")


@pytest.mark.parametrize("text, mentions", [
    ("heartbeat: {intervall: 30s}\n", ["trestle.yaml:1:", "intervall", "interval"]),
    ("log:\n  level: info\nlisten:\n  prot: 3001\n", ["trestle.yaml:4:3", "prot", "port"]),
    ("session: {stall: 10}\n", ["trestle.yaml:1:", "stall"]),
    ("session: {stall: 10 parsecs}\n", ["stall", "10 parsecs"]),
    ("listen: {port: 70000}\n", ["port"]),
    ("shards: many\n", ["shards"]),
    ("auth: {enabled: maybe}\n", ["enabled"]),
    ("auth: {enabled: true, enabled: false}\n", ["enabled"]),
    ("topics: [{match: a..b, keep: latest}]\n", ["a..b"]),
    ("topics: [{match: a, keep: forever}]\n", ["forever"]),
    ("listen: [\n", ["trestle.yaml:"]),
    ("just a text\n", ["trestle.yaml:"]),
    ("shards: 1\n---\nshards: 2\n", ["trestle.yaml:"]),
    ("endpoints: [{path: nowhere}]\n", ["nowhere"]),
])
def test_a_bad_configuration(make_bridge, text, mentions):
    refused(make_bridge(text), *mentions)


def test_a_missing_configuration_file(make_bridge):
    bridge = make_bridge(args=["-c", "nowhere.yaml"])
    bridge.with_file = False
    refused(bridge, "nowhere.yaml")


def test_a_mistyped_environment_variable(make_bridge):
    refused(make_bridge(env={"TRESTLE_HEARTBEAT_INTERVALL": "30s"}), "TRESTLE_HEARTBEAT_INTERVALL")


def test_a_bad_value_in_the_environment(make_bridge):
    refused(make_bridge(env={"TRESTLE_LISTEN_PORT": "a door"}), "TRESTLE_LISTEN_PORT", "a door")


def test_the_command_lines_variables_are_ignored(trestled):
    assert trestled(env={"TRESTLE_URL": "http://nowhere", "TRESTLE_TOKEN": "x"}).healthy()


# --- files ----------------------------------------------------------------------------------------------------------------

def test_a_token_file_that_is_a_folder(make_bridge):
    bridge = make_bridge({"auth": {"token": None}})
    (bridge.folder / "tokens.yaml").mkdir()
    refused(bridge, "tokens.yaml")


@pytest.mark.parametrize("text", ["tokens: [", "tokens: 7\n", "tokens: [{name: a}]\n", "\0\xff",
                                  "tokens: [{name: a, sha256: abc, scopes: [read]}]\n"])
def test_a_broken_token_file(make_bridge, text):
    refused(make_bridge({"auth": {"token": None}}, files={"tokens.yaml": text}), "tokens.yaml")


@pytest.mark.parametrize("args", [(), ("--check",)])
def test_a_token_file_that_others_can_open(make_bridge, args):
    for mode in (0o644, 0o602):
        bridge = make_bridge({"auth": {"token": None}}, files={"tokens.yaml": "tokens: []\n"}, args=args)
        file = bridge.folder / "tokens.yaml"
        file.chmod(mode)
        refused(bridge, f"{file} is a secret that others can ", f"(mode {mode:04o}): chmod 600 {file}")


def test_a_file_of_revoked_tokens_that_everybody_can_change(make_bridge):
    config = {"auth": {"revoked_file": "revoked.yaml"}}
    bridge = make_bridge(config, files={"revoked.yaml": "jti: [a]\n"})
    file = bridge.folder / "revoked.yaml"
    file.chmod(0o666)
    refused(bridge, f"{file} says who is let in", "(mode 0666)", f"chmod o-w {file}")
    bridge = make_bridge(config, files={"revoked.yaml": "jti: [a]\n"}, args=("--check",))
    (bridge.folder / "revoked.yaml").chmod(0o644)
    assert bridge.launch().exit_code() == 0, bridge.output()


def test_a_file_of_revoked_tokens_that_is_not_there_is_a_warning(make_bridge):
    bridge = make_bridge({"auth": {"token": None, "revoked_file": "revoked.yaml"}}, args=("--check",)).launch()
    assert bridge.exit_code() == 0, bridge.output()
    warning, = bridge.stderr().splitlines()
    assert "trestle.yaml:2:17: auth.revoked_file: there is no " in warning and "revoked.yaml" in warning
    assert bridge.stdout() == "ok\n"


def test_a_token_in_a_configuration_that_others_can_read_is_warned_of_once(make_bridge):
    def warnings(mode, **more):
        bridge = make_bridge(**more)
        bridge.write_config()
        (bridge.folder / "trestle.yaml").chmod(mode)
        bridge.start()
        bridge.stop()
        logged = [line["msg"] for line in bridge.logs() if "trestle.yaml is a secret" in line["msg"]]
        check = run(bridge, "-c", bridge.folder / "trestle.yaml", "--check", **bridge.env)
        assert check.returncode == 0 and check.stderr == "".join(f"trestled: warning: {line}\n" for line in logged)
        return logged
    said, = warnings(0o644)
    assert ": auth.token: " in said and "trestle.yaml is a secret that others can read (mode 0644): chmod 600 " in said
    assert warnings(0o600) == []
    assert warnings(0o644, config={"auth": {"token": None, "tokens_file": ""}}) == []
    assert warnings(0o644, env={"TRESTLE_AUTH_TOKEN": "not-the-one-in-the-file"}) == []


def test_a_short_token_for_other_machines_is_warned_of_and_not_shown(make_bridge):
    def said(address, token, **more):
        config = {"listen": {"address": address}, "auth": {"token": token}}
        bridge = make_bridge(config, **more).start()
        bridge.stop()
        logged = [line["msg"] for line in bridge.logs() if "the token is shorter than 16 characters" in line["msg"]]
        check = make_bridge(config, args=["--check"], **more).launch()
        assert check.exit_code() == 0 and check.stdout() == "ok\n", check.output()
        warned = [line for line in check.stderr().splitlines() if "is a secret that others can read" not in line]
        assert [line.replace(str(check.folder), str(bridge.folder)) for line in warned] == [f"trestled: warning: {line}" for line in logged]
        assert "s3cr" not in bridge.output() + check.output()
        return logged
    warning, = said("0.0.0.0", "s3cr", env={"TRESTLE_LISTEN_PORT": "0"})
    assert "trestle.yaml:" in warning and ": auth.token: " in warning and "openssl rand -hex 24" in warning
    warning, = said("0.0.0.0", None, env={"TRESTLE_AUTH_TOKEN": "s3cr"})
    assert warning.startswith("TRESTLE_AUTH_TOKEN: ")
    assert said("127.0.0.1", "s3cr") == []
    assert said("0.0.0.0", "s3cr" * 4) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to start trestled as somebody else")
def test_an_unreadable_token_file(make_bridge, tmp_path):
    """Root reads everything, so this one runs as nobody."""
    if not shutil.which("setpriv"):
        pytest.skip("needs setpriv")
    bridge = make_bridge({"auth": {"token": None}}, files={"tokens.yaml": "tokens: []\n"},
                         prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    (bridge.folder / "tokens.yaml").chmod(0)
    if not reachable_by_nobody(bridge):
        pytest.skip("nobody may not read the folder of the tests or run the program")
    refused(bridge, "tokens.yaml", "ermission")


def reachable_by_nobody(bridge):
    """pytest's folders are private to their owner: opened up as far as this bridge, which holds no secret."""
    from harness.bridge import BINARY
    folder = bridge.folder
    while folder.name and folder != folder.parent and str(folder).startswith("/tmp/"):
        folder.chmod(0o755)
        folder = folder.parent
        if str(folder) == "/tmp":
            break
    command = [*bridge.prefix, "sh", "-c", 'test -x "$1" && test -x "$2"', "sh", str(BINARY), str(bridge.folder)]
    return subprocess.run(command, check=False).returncode == 0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    for name in ("one", "two"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
                        "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"], check=True, capture_output=True)
    return folder


def tls(certificate, key):
    return {"listen": {"tls": True}, "tls": {"certificate": str(certificate), "key": str(key)}}


def test_a_missing_certificate(make_bridge, certificate):
    refused(make_bridge(tls(certificate / "none.pem", certificate / "one.key")), "none.pem")


def test_a_certificate_that_is_none(make_bridge, certificate):
    (certificate / "garbage.pem").write_text("not a certificate\n")
    refused(make_bridge(tls(certificate / "garbage.pem", certificate / "one.key")), "garbage.pem")


def test_a_key_of_another_certificate(make_bridge, certificate):
    refused(make_bridge(tls(certificate / "one.pem", certificate / "two.key")), "two.key")


def test_a_listener_with_tls_but_no_certificate(make_bridge):
    refused(make_bridge({"listen": {"tls": True}}), "certificate")


# --- folders: each in a mount namespace of its own ------------------------------------------------------------------------

def mounting(make_bridge, script, config, afterwards="true"):
    """A bridge that is started where `script` has mounted something; in both scripts $F is the bridge's folder."""
    bridge = make_bridge(config)
    (bridge.folder / "small").mkdir()
    shell = f'F="$1"; shift; set -e; {script}; set +e; "$@"; code=$?; {afterwards}; exit $code'
    if afterwards == "true":
        shell = f'F="$1"; shift; set -e; {script}; exec "$@"'       # signals are for trestled, not for a shell
    bridge.prefix = ["unshare", "--mount", "sh", "-c", shell, "sh", str(bridge.folder)]
    if subprocess.run([*bridge.prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount anything")
    return bridge


READ_ONLY = 'mount --bind "$F" "$F"; mount -o remount,bind,ro "$F"'
FULL = 'mount -t tmpfs -o size=16k none "$F/small"; dd if=/dev/zero of="$F/small/filler" bs=1k count=64 2>/dev/null || true'
FULL_DISK_CONFIG = {"auth": {"token": None, "tokens_file": "small/tokens.yaml"}}


def test_a_read_only_working_directory(make_bridge):
    bridge = mounting(make_bridge, READ_ONLY, {"auth": {"token": None}})
    refused(bridge, "tokens.yaml", "ead-only")


def test_a_read_only_working_directory_is_fine_when_nothing_is_written(make_bridge):
    bridge = mounting(make_bridge, READ_ONLY, {})
    bridge.start()
    assert bridge.healthy()


def test_a_full_disk(make_bridge):
    refused(mounting(make_bridge, FULL, FULL_DISK_CONFIG), "tokens.yaml", "space")


def test_a_full_disk_leaves_no_half_written_token_file(make_bridge):
    bridge = mounting(make_bridge, FULL, FULL_DISK_CONFIG, afterwards='ls -A "$F/small"')
    refused(bridge, "tokens.yaml")
    assert bridge.stdout().split() == ["filler"]


# --- and what does not stop it --------------------------------------------------------------------------------------------

def run(bridge, *args, **env):
    from harness.bridge import BINARY, bridge_environment
    return subprocess.run([BINARY, *args], cwd=bridge.folder, env=bridge_environment(env), capture_output=True, text=True,
                          timeout=30, check=False)


def test_check_reads_the_configuration_and_ends(make_bridge):
    bridge = make_bridge()
    bridge.write_config()
    assert run(bridge, "-c", "trestle.yaml", "--check").returncode == 0
    (bridge.folder / "trestle.yaml").write_text("shards: many\n")
    answer = run(bridge, "-c", "trestle.yaml", "--check")
    assert answer.returncode == 2 and "trestle.yaml:1:" in answer.stderr and len(answer.stderr.splitlines()) == 1


def test_print_config_reads_back_to_the_same_and_hides_the_token(make_bridge):
    bridge = make_bridge()
    bridge.write_config()
    first = run(bridge, "-c", "trestle.yaml", "--print-config")
    assert first.returncode == 0 and bridge.token not in first.stdout
    (bridge.folder / "again.yaml").write_text(first.stdout)
    assert run(bridge, "-c", "again.yaml", "--print-config").stdout == first.stdout


def test_an_unknown_option(make_bridge):
    answer = run(make_bridge(), "--no-such-option")
    assert answer.returncode == 2 and answer.stderr


def test_a_bridge_that_was_killed_leaves_nothing_in_the_way(bridge):
    bridge.kill9()
    eventually(lambda: bridge.restart().healthy(), "the second life")
