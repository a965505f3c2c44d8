"""Real web servers, started on this machine with the configuration that the front door prints."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.frontdoor.support import skip_if_left_out, wait_until

ROOT = Path(__file__).resolve().parents[2]
HOST = "site.example"
#: Who visits: an address and a browser that can be found again wherever they are written.
VISITOR, BROWSER = "127.0.0.77", "Browser-of-somebody-in-danger"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str) -> str:
    """The path of a server's program, which `./blog test` installs."""
    skip_if_left_out("servers")
    path = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    assert path, f"no {name}: run ./blog test, which installs it"
    return path


def make_certificate(folder: Path) -> tuple[str, str]:
    """A certificate for HOST that nobody trusts, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
        "-keyout", str(key), "-out", str(certificate),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return str(certificate), str(key)


def print_configuration(site: Path, *arguments: str) -> str:
    """What `./blog deploy-config` prints for the site in a folder."""
    lines = (
        "import argparse, sys",
        "from pathlib import Path",
        "from policy.commands import add_commands",
        "parser = argparse.ArgumentParser(prog='blog')",
        "add_commands(parser.add_subparsers(), Path.cwd())",
        "args = parser.parse_args()",
        "try:",
        "    sys.exit(args.run(args))",
        "except ValueError as error:",
        "    sys.exit(f'blog: {error}' if hasattr(error, 'remedy') else error)",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), "deploy-config", *arguments],
        cwd=site,
        env=os.environ | {"PYTHONPATH": str(ROOT / "plugins"), "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Answer:
    """What a server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def __getitem__(self, name: str) -> str | None:
        stated = self.headers.get_all(name) or []
        assert len(stated) < 2, f"{name} is there twice: {stated}"
        return stated[0] if stated else None


class _Connection(http.client.HTTPConnection):
    """To one port of this machine, from the visitor's address, under any name."""

    def __init__(self, port: int, *, tls: bool) -> None:
        super().__init__("127.0.0.1", port, timeout=20, source_address=(VISITOR, 0))
        self.tls = tls

    def connect(self) -> None:
        super().connect()
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock, server_hostname=HOST)


@dataclass
class WebServer:
    """A running server; `folder` holds everything it wrote."""

    folder: Path
    port: int
    plain_port: int
    mailroom: Mailroom
    intake: Mailroom
    said: list[str] = field(default_factory=list)

    def get(self, path: str, *, tls: bool = True, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        connection = _Connection(self.port if tls else self.plain_port, tls=tls)
        stated = {"Host": HOST, "User-Agent": BROWSER}
        stated |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body=body, headers=stated)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def written(self) -> str:
        """Everything that the server wrote into files or said."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return "".join(path.read_bytes().decode("utf-8", "replace") for path in files)


class Mailroom:
    """A stub in the place of the service under /mail/: it keeps what it was asked, and answers carelessly."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        #: Set when a request's head is here, before its body is.
        self.head_arrived = threading.Event()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                stub.head_arrived.set()
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if len(body) < length:  # it was cut off on its way
                    return
                stub.requests.append((self.command, self.path, dict(self.headers.items()), body))
                self.send_response(404 if "unknown" in self.path else 200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Set-Cookie", "careless=1")
                self.send_header("X-Frame-Options", "SAMEORIGIN")
                if "strict" in self.path:
                    self.send_header("Content-Security-Policy", "default-src 'none'")
                self.send_header("Content-Length", "6")
                self.end_headers()
                self.wfile.write(b"letter")

            do_GET = do_POST  # noqa: N815 (the name is the library's)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@contextmanager
def running(
    kind: str, site: Path, folder: Path, *options: str, plain: bool = False, root: Path | None = None
) -> Iterator[WebServer]:
    """Start nginx or Caddy with what is printed for a site, its paths of logs led into `folder`."""
    folder.mkdir()
    web = WebServer(folder, free_port(), free_port(), Mailroom(), Mailroom())
    address = ["--http", f"127.0.0.1:{web.plain_port}"]
    if not plain:
        certificates = folder.parent / f"{folder.name}-certificate"
        certificates.mkdir()
        certificate, key = make_certificate(certificates)
        address = ["--certificate", certificate, "--key", key, "--ports", f"{web.plain_port},{web.port}"]
    text = print_configuration(
        site, kind, "--root", str(root or site / "output"), "--mailroom", f"127.0.0.1:{web.mailroom.port}",
        "--intake", f"127.0.0.1:{web.intake.port}", *address, *options,
    )  # fmt: skip
    start = {"nginx": _start_nginx, "caddy": _start_caddy}[kind]
    process = start(text, folder)
    port = web.plain_port if plain else web.port
    try:
        wait_until(lambda: process.poll() is not None or _listens(port), f"{kind} does not answer")
        assert process.poll() is None, web.written()
        yield web
    finally:
        process.terminate()
        process.wait(timeout=20)
        web.mailroom.close()
        web.intake.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def configure_nginx(folder: Path, *texts: str) -> list[str]:
    """Write what an nginx with these sites needs, let it judge them, and return the command that starts it."""
    for number, text in enumerate(texts):
        # On this machine only, and nothing outside the test's folder.
        text = re.sub(r"listen \[::\]:\d+[^;]*;", "", text)
        text = re.sub(r"listen (\d+)(?=[ ;])", r"listen 127.0.0.1:\1", text)
        text = text.replace(f"/var/log/{HOST}/", f"{folder}/").replace("/var/log/nginx/", f"{folder}/")
        (folder / f"site-{number}.conf").write_text(text, "utf-8")
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    # What stands around it logs everything, as a stock configuration does.
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/around.log warn; events {{}}\n"
        f"http {{ {temporary} access_log {folder}/access-of-others.log; include {folder}/site-*.conf; }}\n",
        "utf-8",
    )
    command = [program("nginx"), "-p", str(folder), "-e", str(folder / "start.log"), "-c", str(folder / "nginx.conf")]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    assert "warn" not in tested.stderr
    return command


@contextmanager
def running_nginx(folder: Path, text: str) -> Iterator[None]:
    """Start nginx with a configuration; what it says is in `folder`, where nginx writes everything else as well."""
    process = _start_nginx(text, folder)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _start_nginx(text: str, folder: Path) -> subprocess.Popen[bytes]:
    command = configure_nginx(folder, text)
    with (folder / "output.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def _start_caddy(text: str, folder: Path) -> subprocess.Popen[bytes]:
    text = text.replace("\n{\n", "\n{\n\tadmin off\n\tdefault_bind 127.0.0.1\n", 1)
    text = text.replace(f"/var/log/{HOST}/", f"{folder}/")
    file = folder / "Caddyfile"
    file.write_text(text, "utf-8")
    environment = os.environ | {
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "HOME": str(folder),
    }
    command = [program("caddy"), "validate", "--config", str(file), "--adapter", "caddyfile"]
    tested = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    warnings = [line for line in tested.stderr.splitlines() if '"level":"warn"' in line]
    # A certificate of our own making names nobody who would vouch for it.
    assert not [line for line in warnings if "no OCSP server specified" not in line], warnings
    with (folder / "output.log").open("wb") as log:
        command = [program("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"]
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)
