"""The files that a configuration names: what is wrong with one is said with the configuration's line and key."""
import shutil

import pytest

from harness.curve import KeyList, Keys
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
    "a CURVE key for everybody": (mode("bridge.key", 0o644), "13:22: ingest.curve.secret_key_file: ", ["is a secret", "chmod 600"]),
    "half a CURVE key": (copied("bridge.key.pub", "bridge.key"), "13:22: ingest.curve.secret_key_file: ", ["public key only"]),
    "no CURVE key": (gone("bridge.key"), "13:22: ingest.curve.secret_key_file: ", ["bridge.key: No such file"]),
    "producers that all can change": (mode("producers.yaml", 0o666), "14:21: ingest.curve.producers_file: ", ["chmod o-w"]),
    "no producers": (gone("producers.yaml"), "14:21: ingest.curve.producers_file: ", ["producers.yaml: No such file"]),
    "broken producers": (text("producers.yaml", "producers: 7\n"), "14:21: ingest.curve.producers_file: ", ["producers.yaml:1:12"]),
}
WAYS = [()]


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
