"""The servers that are compared: each is started on loopback, on free ports, in a folder of its own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PATIENCE = 20  # seconds for a start or an end


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def first_line(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.strip().splitlines()[0]


def package_version(package):
    done = subprocess.run(
        ["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


class Server:
    """One server, from `with` to its end. `name` is what tables call it, `kind` what trestle-load does."""

    name = kind = program = package = ""
    path = "/"
    least_processes = 1

    def __init__(self, build):
        self.build = Path(build)
        self.folder = None
        self.processes = []
        self.port, self.events_port, self.control_port = free_ports(3)
        self.arguments = []  # more of trestle-load's

    @classmethod
    def missing(cls):
        """Why it can't run here, or None."""
        if shutil.which(cls.program, path=os.environ["PATH"] + ":/usr/sbin"):
            return None
        return f"{cls.name}: no {cls.program}; apt-get install {cls.package}"

    @classmethod
    def version(cls):
        return f"{cls.package} {package_version(cls.package)}"

    @property
    def events(self):
        return f"127.0.0.1:{self.events_port}"

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="trestle-compare-"))
        try:
            self.start()
            for port in (self.port, self.events_port):
                self.wait_for(port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        raise NotImplementedError

    def run(self, *command):
        with (self.folder / "log").open("ab") as log:
            self.processes.append(
                subprocess.Popen([str(part) for part in command], cwd=self.folder, stdout=log, stderr=log)
            )

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def wait_for(self, port):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if any(process.poll() is not None for process in self.processes):
                break
            time.sleep(0.05)
        log = (self.folder / "log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{self.name} does not listen on port {port}:\n{log}")

    def pids(self):
        """All of its processes, those included that it started itself."""
        deadline = time.monotonic() + PATIENCE
        while len(self.family()) < self.least_processes and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.family()

    def family(self):
        found, todo = [], [process.pid for process in self.processes]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                todo += [int(child) for child in children.read_text().split()]
        return found


class Trestle(Server):
    name = kind = "trestle"
    path = "/?token=bench"
    more = ""  # configuration

    @classmethod
    def missing(cls):
        return None  # built by compare

    @classmethod
    def version(cls):
        return first_line("git", "describe", "--always", "--dirty")

    @property
    def events(self):
        return f"tcp://127.0.0.1:{self.events_port}"

    def start(self):
        config = self.write(
            "trestle.yaml",
            f"""listen: {{address: localhost, port: {self.port}{self.tls()}}}
auth: {{token: bench}}
ingest: {{bind: ["tcp://127.0.0.1:{self.events_port}"], control: "tcp://127.0.0.1:{self.control_port}"}}
log: {{level: warning}}
{self.more}
""",
        )
        self.run(self.build / "bin/trestled", "-c", config)

    def tls(self):
        return ""


class TrestleInMemory(Trestle):
    """Without its journal: the others of which an event is on its way only have none either."""

    name = "trestle, in memory"
    more = 'stream: {path: ":memory:"}'


class TrestleMerging(Trestle):
    """What a client does not read in time is joined for it: by its cursor it can tell."""

    name = "trestle, merging"
    path = "/?token=bench&meta=1"
    more = """session: {queue: 1MiB, stall: 60s}
topics: [{match: ">", keep: log, under_pressure: merge, merge: /pad}]"""


class TrestleTls(Trestle):
    name = "trestle, TLS"

    def tls(self):
        subprocess.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key.pem "
            "-out cert.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost".split(),
            cwd=self.folder, check=True, capture_output=True,
        )
        self.arguments = ["--tls", "--cacert", self.folder / "cert.pem"]
        return f", tls: true}}\ntls: {{certificate: {self.folder}/cert.pem, key: {self.folder}/key.pem"


class Floor(Server):
    name = kind = "floor"

    @classmethod
    def missing(cls):
        return None

    @classmethod
    def version(cls):
        return "tests/bench/floor.cpp"

    def start(self):
        self.run(self.build / "bin/trestle-floor", self.port, self.events_port)


class Nats(Server):
    name = kind = "nats"
    program = package = "nats-server"

    def start(self):
        config = self.write(
            "nats.conf",
            f"""listen: "127.0.0.1:{self.events_port}"
websocket {{ listen: "127.0.0.1:{self.port}", no_tls: true }}
""",
        )
        self.run("/usr/sbin/nats-server", "-c", config)


class Nchan(Server):
    """Messages are kept long enough for the slowest subscriber of a burst."""

    name = kind = "nchan"
    program, package = "nginx", "libnginx-mod-nchan"
    path = "/sub/"
    least_processes = 1 + os.cpu_count()

    @classmethod
    def missing(cls):
        if Path("/usr/lib/nginx/modules/ngx_nchan_module.so").exists():
            return super().missing()
        return "nchan: no module for nginx; apt-get install nginx-light libnginx-mod-nchan"

    @property
    def events(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.events_port = self.port
        config = self.write(
            "nginx.conf",
            f"""load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log;
worker_processes auto; worker_rlimit_nofile 20000;
events {{ worker_connections 12000; }}
http {{
  access_log off; keepalive_requests 1000000; nchan_shared_memory_size 512M;
  client_body_temp_path {self.folder}/body;
  server {{
    listen 127.0.0.1:{self.port};
    location ~ /pub/(.+)$ {{
      nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 20000; nchan_message_timeout 60s;
    }}
    location ~ /sub/(.+)$ {{
      nchan_subscriber websocket; nchan_channel_id $1; nchan_subscriber_first_message newest;
    }}
  }}
}}
""",
        )
        self.run("/usr/sbin/nginx", "-p", self.folder, "-c", config)


class Mosquitto(Server):
    """Without its limit of 1,000 waiting messages per client, which would lose some of a burst."""

    name = kind = "mosquitto"
    program = package = "mosquitto"
    path = "/mqtt"

    def start(self):
        config = self.write(
            "mosquitto.conf",
            f"""listener {self.events_port} 127.0.0.1
listener {self.port} 127.0.0.1
protocol websockets
allow_anonymous true
max_queued_messages 0
set_tcp_nodelay true
log_type error
user root
""",
        )
        self.run("/usr/sbin/mosquitto", "-c", config)
