"""One real trestled in a folder of its own."""
import copy
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.parse

import yaml

from .wait import PATIENCE, TIMEOUT, eventually, free_port

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("TRESTLED", REPOSITORY / "build/bin/trestled")).resolve()
TOKEN = "a-static-token-of-the-tests"
SANITIZER_REPORT = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")
STOP_WITHIN = 5 * PATIENCE


def merged(base, changes):
    """`base` with `changes` laid over it: maps are merged, a value of None removes the key."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def bridge_environment(extra):
    """Ours without any TRESTLE_ variable of the person who runs the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TRESTLE")}
    return {**own, **extra}


class Bridge:
    """Starts trestled with a generated trestle.yaml on free ports; whoever makes one stops it.

    config: laid over the tests' own; or a text, taken as it is.
    files: {name: text} beside the configuration, mode 0600.  prefix: a command that trestled is started by."""

    def __init__(self, folder, config=None, env=None, args=(), prefix=(), files=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.token = TOKEN
        self.events_addr = f"tcp://127.0.0.1:{free_port()}"
        self.control_addr = f"tcp://127.0.0.1:{free_port()}"
        self.config = config if isinstance(config, str) else merged(self._defaults(), config or {})
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o600)
        self.env = env or {}
        self.args = list(args)
        self.prefix = list(prefix)
        self.process = None
        self.port = None
        self.runs = 0
        self.with_file = True  # False: no -c, the environment says it all

    def _defaults(self):
        return {
            "listen": {"address": "127.0.0.1", "port": 0},
            "auth": {"token": TOKEN},
            "ingest": {"bind": [self.events_addr], "control": self.control_addr},
            "stream": {"path": ":memory:"},
            "log": {"format": "json"},
        }

    # --- life ---------------------------------------------------------------------------------------------------------

    def write_config(self):
        text = self.config if isinstance(self.config, str) else yaml.safe_dump(self.config)
        (self.folder / "trestle.yaml").write_text(text)

    def launch(self):
        """Starts the program without waiting for anything."""
        self.runs += 1
        if self.with_file:
            self.write_config()
        self.out_path = self.folder / f"stdout.{self.runs}"
        self.err_path = self.folder / f"stderr.{self.runs}"
        file = ["-c", str(self.folder / "trestle.yaml")] if self.with_file else []
        command = [*self.prefix, str(BINARY), *file, *self.args]
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=bridge_environment(self.env))
        return self

    def start(self):
        """Starts it and waits until it serves."""
        self.launch()
        return self.await_start()

    def await_start(self):
        """Waits until what launch() started serves."""
        self.port = eventually(self._listening_port, "trestled listening")
        eventually(lambda: self.healthy(), "/healthz")
        return self

    def restart(self):
        """The same bridge at the same addresses after stop() or kill9()."""
        if isinstance(self.config["listen"], dict):
            self.config["listen"]["port"] = self.port
        return self.start()

    def _listening_port(self):
        assert self.process.poll() is None, f"trestled ended with {self.process.returncode}: {self.output()}"
        lines = self.logs("listening")
        return int(lines[0]["port"]) if lines else None

    def stop(self):
        """SIGTERM, as an operator would; returns the exit code, which must come within 5 s."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.exit_code()

    def exit_code(self, timeout=STOP_WITHIN):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"trestled was still there after {timeout} s: {self.output()[-2000:]}") from None

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def check_clean_end(self):
        """What every test asserts of its bridges at the end."""
        killed = self.process.poll() == -signal.SIGKILL
        code = self.process.returncode if self.process.poll() is not None else self.stop()
        report = SANITIZER_REPORT.search(self.all_output())
        assert not report, self.all_output()[-8000:]
        assert killed or code == 0, f"trestled ended with {code}: {self.output()[-4000:]}"

    @property
    def pid(self):
        return self.process.pid

    # --- what it said -------------------------------------------------------------------------------------------------

    def stdout(self):
        return self.out_path.read_text(errors="replace")

    def stderr(self):
        return self.err_path.read_text(errors="replace")

    def output(self):
        return self.stdout() + self.stderr()

    def all_output(self):
        """Of every run of this bridge."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("std*.[0-9]*")))

    def logs(self, msg=None):
        """This run's JSON log lines, or those with the given message."""
        lines = []
        for line in self.output().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and (msg is None or record.get("msg") == msg):
                lines.append(record)
        return lines

    # --- how to reach it ----------------------------------------------------------------------------------------------

    def ws_url(self, path="/", token=True, port=None, **query):
        """token=True: the static one; None: none at all; or a text."""
        if token is not None:
            query = {"token": self.token if token is True else token, **query}
        text = urllib.parse.urlencode(query)
        return f"ws://127.0.0.1:{port or self.port}{path}" + (f"?{text}" if text else "")

    def http(self, path, method="GET", token=None, headers=None, body=None, port=None):
        """(status, body) of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=TIMEOUT)
        try:
            own = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request(method, path, body=body, headers={**own, **(headers or {})})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def healthy(self):
        try:
            return self.http("/healthz")[0] == 200
        except OSError:
            return False

    def status(self):
        """The data of /api/status."""
        code, body = self.http("/api/status", token=self.token)
        assert code == 200, (code, body)
        answer = json.loads(body)
        assert answer["success"] is True
        return answer["data"]

    def rejections(self):
        return self.status()["rejections"]

    def wait_status(self, condition, what):
        return eventually(lambda: condition(self.status()), what)
