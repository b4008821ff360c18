"""Certificates as a small authority would make them, and the openssl client."""
import re
import shutil
import ssl
import subprocess

from .wait import TIMEOUT

_EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def openssl(*arguments, **options):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **options)


class Authority:
    """A root and an intermediate in `folder`, and what the intermediate signs: <name>.pem with its chain, <name>.key."""

    def __init__(self, folder, name="root"):
        self.folder = folder
        self.name = name
        self.root = folder / f"{name}.pem"
        openssl("req", "-x509", *_EC, "-days", 30, "-subj", f"/CN={name}", "-keyout", self._key(name), "-out", self.root)
        self._sign("intermediate", f"{name}-intermediate", name, "basicConstraints=critical,CA:true\n", days=20)

    def _key(self, name):
        return self.folder / f"{name}.key"

    def _sign(self, subject, name, by, extensions, days, key=()):
        request, extra = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extra.write_text(extensions)
        openssl("req", *(key or _EC), "-subj", f"/CN={subject}", "-keyout", self._key(name), "-out", request)
        # The days may be negative: a certificate that has expired.
        openssl("x509", "-req", "-in", request, "-CA", self.folder / f"{by}.pem", "-CAkey", self._key(by), "-days", days,
                "-extfile", extra, "-out", self.folder / f"{name}.pem", "-set_serial", str(abs(hash((name, days))) % 10**9))

    def issue(self, name, subject="localhost", san="DNS:localhost,IP:127.0.0.1", days=20, rsa=False):
        """(certificate with chain, key)"""
        intermediate = f"{self.name}-intermediate"
        key = ["-newkey", "rsa:2048", "-nodes"] if rsa else ()
        self._sign(subject, name, intermediate, f"subjectAltName={san}\n" if san else "basicConstraints=CA:false\n", days, key)
        certificate = self.folder / f"{name}.pem"
        certificate.write_text(certificate.read_text() + (self.folder / f"{intermediate}.pem").read_text())
        return certificate, self._key(name)

    def client_context(self, *pair):
        """What a client trusts; with a pair, what it shows."""
        context = ssl.create_default_context(cafile=self.root)
        if pair:
            context.load_cert_chain(*pair)
        return context


class Pair:
    """The two files a bridge is configured with, to be replaced under it."""

    def __init__(self, folder, pair):
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = folder / "tls.pem", folder / "tls.key"
        self.install(pair)

    def install(self, pair):
        """As certbot's hooks do it: each file beside the old one, then renamed over it."""
        for source, target in zip(pair, (self.certificate, self.key)):
            beside = target.with_suffix(".new")
            shutil.copy(source, beside)
            beside.chmod(0o600)
            beside.rename(target)


def s_client(port, *arguments, say="", **options):
    """All that `openssl s_client` printed, errors too; `say` is its standard input, after which it ends."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *map(str, arguments)], input=say,
                          capture_output=True, text=True, timeout=TIMEOUT, check=False, errors="replace", **options)
    return done.stdout + done.stderr


def cipher_of(output):
    """The cipher that was agreed on; None without a handshake."""
    found = re.search(r"^New, TLSv1\.\d, Cipher is (\S+)$", output, re.MULTILINE)
    return found[1] if found else None


def serial_seen(port, context):
    """The serial number of the certificate that a new connection is shown."""
    import socket
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as tls:
        return tls.getpeercert()["serialNumber"]
