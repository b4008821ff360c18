"""Pushpin needs an origin that tells it what a WebSocket subscribes to, and zurl to ask it."""

import http.client
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from servers import PATIENCE, Server, free_ports


class Origin(BaseHTTPRequestHandler):
    """WebSocket-over-HTTP: every new connection is subscribed to the channel that its path names."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = b""
        if asked.startswith(b"OPEN"):
            channel = self.path.strip("/")
            control = b'c:{"type": "subscribe", "channel": "%s"}' % channel.encode()
            answer = b"OPEN\r\nTEXT %x\r\n%s\r\n" % (len(control), control)
        self.send_response(200)
        self.send_header("Content-Type", "application/websocket-events")
        self.send_header("Sec-WebSocket-Extensions", "grip")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        pass  # zurl resets its connections when it ends


class Pushpin(Server):
    """By default it lets 2,500 deliveries a second through and drops what waits beyond 25,000; both are
    lifted here, or there would be nothing to compare."""

    name = kind = package = program = "pushpin"
    least_processes = 4  # condure, proxy and handler under one parent

    @property
    def events(self):
        return f"tcp://127.0.0.1:{self.events_port}"

    @classmethod
    def version(cls):
        return super().version() + ", its limit of 2,500 deliveries/s lifted"

    def start(self):
        self.origin = QuietServer(("127.0.0.1", 0), Origin)
        threading.Thread(target=self.origin.serve_forever, daemon=True).start()
        self.start_zurl()
        sub_port, http_port, command_port = free_ports(3)
        run = self.folder
        (run / "logs").mkdir()
        self.write("routes", f"*,debug 127.0.0.1:{self.origin.server_port},over_http\n")
        config = self.write(
            "pushpin.conf",
            f"""[global]
include=/usr/lib/pushpin/internal.conf
rundir={run}
ipc_prefix=pushpin-
port_offset=0
[runner]
services=condure,pushpin-proxy,pushpin-handler
http_port=127.0.0.1:{self.port}
logdir={run}/logs
log_level=1
client_buffer_size=8192
client_maxconn=20000
condure_bin=condure
[proxy]
routesfile={run}/routes
auto_cross_origin=false
sig_iss=pushpin
sig_key=changeme
updates_check=off
zurl_out_specs=ipc://{run}/zurl-in
zurl_out_stream_specs=ipc://{run}/zurl-in-stream
zurl_in_specs=ipc://{run}/zurl-out
[handler]
push_in_spec=tcp://127.0.0.1:{self.events_port}
push_in_sub_specs=tcp://127.0.0.1:{sub_port}
push_in_http_addr=127.0.0.1
push_in_http_port={http_port}
stats_spec=ipc://{run}/pushpin-stats
command_spec=tcp://127.0.0.1:{command_port}
message_rate=1000000000
message_hwm=1000000000
message_wait=5000
""",
        )
        self.run("/usr/bin/pushpin", f"--config={config}", "--merge-output")

    def wait_for(self, port):
        """It listens before its parts have found each other; then it refuses."""
        super().wait_for(port)
        deadline = time.monotonic() + PATIENCE
        while port == self.port and self.answer() != 101 and time.monotonic() < deadline:
            time.sleep(0.1)

    def answer(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/probe", headers={
                "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            })
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def start_zurl(self):
        config = self.write(
            "zurl.conf",
            f"""[General]
in_spec=ipc://{self.folder}/zurl-in
in_stream_spec=ipc://{self.folder}/zurl-in-stream
out_spec=ipc://{self.folder}/zurl-out
ipc_file_mode=660
in_req_spec=ipc://{self.folder}/zurl-req
defpolicy=allow
max_open_requests=20000
""",
        )
        self.zurl = subprocess.Popen(
            ["/usr/bin/zurl", f"--config={config}"], cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def __exit__(self, *problem):
        super().__exit__(*problem)
        self.zurl.terminate()
        self.zurl.wait()
        self.origin.shutdown()
        self.origin.server_close()
