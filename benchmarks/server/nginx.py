"""Start and stop an nginx of our own, with its files in a temporary folder.

One process (no master), connections that stay open for ever, no log of requests. `/upload` really
takes the whole body: nginx reads a body completely, here into memory, before it asks an upstream,
and the upstream (the same process) answers with the octets that nginx counted. A plain `return`
would answer before the body has come.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from benchmarks.server.certificate import issue

SMALL = 100
"""Octets of `/small`."""

BIG = 256 << 20
"""Octets of `/big`."""

UPLOAD = 64 << 20
"""Octets that an upload sends."""

KIB = b"0123456789abcdef" * 64
"""What `/kib` and `/close` answer; `/close` closes the connection, too."""

PAGE = b"".join(b"line %d of a page that compresses well\n" % number for number in range(400))
"""What `/page` answers, compressed with gzip when the request allows."""

MIB = 1 << 20
"""Octets of `/mib`."""

_PATIENCE = 60.0
"""Seconds that nginx may take to listen."""

_KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
"""glibc keeps the buffer of an upload for the next, so that no upload pays for fresh pages."""

_CONFIGURATION = Template("""\
daemon off;
master_process off;
pid "$folder/nginx.pid";
error_log "$folder/error.log" error;
events { worker_connections 8192; }
http {
  access_log off;
  default_type application/octet-stream;
  sendfile on;
  tcp_nodelay on;
  keepalive_timeout 1h;
  keepalive_requests 100000000;
  open_file_cache max=16;
  client_max_body_size 0;
  client_body_buffer_size $body_buffer;
  client_body_temp_path "$folder/body";
  proxy_temp_path "$folder/proxy";
  fastcgi_temp_path "$folder/fastcgi";
  uwsgi_temp_path "$folder/uwsgi";
  scgi_temp_path "$folder/scgi";
  upstream counter { server 127.0.0.1:$counter_port; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:$port backlog=4096;
    listen 127.0.0.1:$tls_port ssl backlog=4096;
    ssl_certificate "$chain";
    ssl_certificate_key "$key";
    root "$folder/files";
    gzip_min_length 1;
    location = /page { gzip on; gzip_types *; }
    location = /close { alias "$folder/files/kib"; keepalive_timeout 0; }
    location = /drop { return 444; }
    location = /moved { return 302 /small; }
    location = /slow { alias "$folder/files/small"; limit_rate 200; }
    location = /upload {
      proxy_pass http://counter;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_set_header Counted $$request_length;
    }
  }
  server {
    listen 127.0.0.1:$counter_port;
    location / { return 200 "$$http_counted"; }
  }
}
""")


class ServerError(Exception):
    """nginx is not installed, or did not start; the message carries what it said."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its two origins and the authority that vouches for the second."""

    plain: str
    tls: str
    ca_file: Path


def version() -> str:
    """Return what nginx says of itself, such as `nginx/1.22.1`; empty where there is none."""
    if (program := _program()) is None:
        return ""
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=True)
    return told.stderr.partition(": ")[2].strip()


@contextmanager
def running(cpu: int | None) -> Iterator[Server]:
    """Run nginx on the core `cpu` (None: wherever the system likes) until the block ends.

    Raises:
        ServerError: it is not installed or does not start.
    """
    if (program := _program()) is None:
        raise ServerError("nginx is not installed")
    with TemporaryDirectory(prefix="wayfare-bench-") as name:
        folder = Path(name)
        server = _configure(folder)
        process = subprocess.Popen(
            [program, "-p", name, "-c", f"{name}/nginx.conf"], env=os.environ | _KEEP_MEMORY
        )
        try:
            if cpu is not None:
                os.sched_setaffinity(process.pid, {cpu})
            _wait_until_listening(process, server, folder)
            yield server
        finally:
            process.terminate()
            process.wait()


def _program() -> str | None:
    # Debian keeps it where an ordinary user's PATH does not look.
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def _configure(folder: Path) -> Server:
    files = folder / "files"
    files.mkdir()
    (files / "small").write_bytes(bytes(range(32, 32 + SMALL)))
    (files / "kib").write_bytes(KIB)
    (files / "page").write_bytes(PAGE)
    (files / "mib").write_bytes(bytes(MIB))
    with (files / "big").open("wb") as big:
        big.truncate(BIG)  # sparse: the kernel serves zeroes without touching the disk
    certificate = issue(folder)
    port, tls_port, counter_port = _free_ports(3)
    text = _CONFIGURATION.substitute(
        folder=folder,
        body_buffer=UPLOAD + (1 << 20),
        port=port,
        tls_port=tls_port,
        counter_port=counter_port,
        chain=certificate.chain,
        key=certificate.key,
    )
    (folder / "nginx.conf").write_text(text)
    return Server(
        f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}", certificate.authority
    )


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        ports = []
        for _ in range(count):
            one = held.enter_context(closing(socket.socket()))
            one.bind(("127.0.0.1", 0))
            ports.append(one.getsockname()[1])
        return ports


def _wait_until_listening(process: subprocess.Popen[bytes], server: Server, folder: Path) -> None:
    host, _, port = server.plain.removeprefix("http://").partition(":")
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection((host, int(port)), timeout=1.0).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    log = folder / "error.log"
    raise ServerError(f"nginx did not start: {log.read_text() if log.exists() else 'no log'}")
