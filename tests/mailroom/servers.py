"""A real mail server and real mailboxes, started on this machine from configuration of our own; no mail can leave it.

Postfix takes letters as a relay does, Dovecot keeps them and shows them by IMAP. Both listen on 127.0.0.1 only, on
ports that were free, and keep everything in one folder, so that servers of the machine's own are not touched. That no
mail leaves has two reasons: every address outside goes to a transport that refuses it, and the part of Postfix that
speaks to other servers is not configured at all.
"""

from __future__ import annotations

import datetime
import email
import email.policy
import imaplib
import ipaddress
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.frontdoor.support import skip_if_left_out, wait_until

#: Readers' mailboxes are here, the blog's own there; reports on letters come back to addresses of the third.
MAIL_DOMAIN, BLOG_DOMAIN, BOUNCE_DOMAIN = "mail.test", "blog.test", "bounces.blog.test"
#: Every mailbox opens with it, and who submits letters on the submission port shows it too.
USER, PASSWORD = f"mailroom@{BLOG_DOMAIN}", "letters-on-loopback"
#: Whatever is sent to the bounce domain is in this mailbox.
BOUNCES = f"bounce@{BLOG_DOMAIN}"
#: A local part that begins so is refused at RCPT TO (550 5.1.1) …
UNKNOWN = "unknown"
#: … and one of these is taken first and refused later, by a report to the return path (5.1.1).
GONE = tuple(f"gone-{number:03}@{MAIL_DOMAIN}" for number in range(200))
#: Readers whose addresses need SMTPUTF8.
INTERNATIONAL = tuple(f"{name}@{MAIL_DOMAIN}" for name in ("خواننده", "قارئة", "читатель", "读者"))
#: What a relay may do to a letter that it should pass on as it is: name, and the options of a cleanup service.
MEDDLING = {
    "links": ("body_checks", r"/^(.*)https:\/\/([^\/ ]+)(.*)$/ REPLACE ${1}https://click.relay.test/$2$3"),
    "body": ("body_checks", r"/^--/ PREPEND Sent with a relay that advertises."),
    "message-id": ("header_checks", r"/^Message-ID:.*$/ REPLACE Message-ID: <rewritten@relay.test>"),
    "return-path": ("sender_canonical_maps", rf"/@{re.escape(BOUNCE_DOMAIN)}$/ returned@{BLOG_DOMAIN}"),
}
_LARGEST = 20 * 1024 * 1024
#: Runs a program until its standard input ends: no server outlives tests that were killed.
_WATCHED = 'exec 3<&0; (cat <&3 >/dev/null; kill $$) & exec "$@" 3<&- </dev/null'


@dataclass(frozen=True)
class MailServer:
    """Postfix and Dovecot, running."""

    folder: Path
    #: Takes letters from this machine without asking who sends them.
    smtp_port: int
    #: Takes letters only after STARTTLS and AUTH, with USER and PASSWORD.
    submission_port: int
    #: As smtp_port, but each changes letters in its own way.
    meddling_ports: Mapping[str, int]
    imap_port: int
    #: IMAP within TLS from the first byte.
    imaps_port: int
    #: The authority that vouches for `localhost`; it is in no machine's store.
    ca: Path

    def mailbox(self, address: str) -> Mailbox:
        """The mailbox of an address; it need not exist before the first letter."""
        return Mailbox(address, self.imap_port)

    def send(self, letter: bytes, sender: str, recipient: str, *, port: int | None = None) -> None:
        """Hand in one letter as a plain client does."""
        options = [] if (sender + recipient).isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
        with smtplib.SMTP("127.0.0.1", port or self.smtp_port, local_hostname="client.test", timeout=20) as client:
            client.sendmail(sender, recipient, letter, options)

    def log(self) -> str:
        """What Postfix and Dovecot have written into their logs."""
        return "".join(path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("*.log")))

    def queue(self) -> list[str]:
        """The letters that Postfix has not yet done with."""
        folders = (self.folder / "queue" / name for name in ("maildrop", "incoming", "active", "deferred", "hold"))
        return [path.name for folder in folders for path in folder.rglob("*") if path.is_file()]


@dataclass(frozen=True)
class Mailbox:
    """One reader's mailbox, read by IMAP."""

    address: str
    port: int

    @contextmanager
    def open(self) -> Iterator[imaplib.IMAP4]:
        """Its inbox, selected."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=20) as client:
            credentials = f"\0{self.address}\0{PASSWORD}".encode()
            client.authenticate("PLAIN", lambda _: credentials)
            client.select()
            yield client

    def raw(self) -> list[bytes]:
        """Its letters as they came, oldest first."""
        with self.open() as client:
            _, found = client.uid("SEARCH", "ALL")
            if not found[0]:
                return []
            _, parts = client.uid("FETCH", found[0].replace(b" ", b",").decode(), "(BODY.PEEK[])")
            return [part[1] for part in parts if isinstance(part, tuple)]

    def letters(self) -> list[EmailMessage]:
        """Its letters, oldest first."""
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.raw()]

    def wait_for(self, count: int, timeout: float = 20) -> list[EmailMessage]:
        """Its letters, as soon as there are so many."""

        def arrived() -> list[EmailMessage]:
            letters = self.letters()
            return letters if len(letters) >= count else []

        return wait_until(arrived, f"fewer than {count} letters in {self.address}", timeout)

    def empty(self) -> None:
        """Delete what is in it."""
        with self.open() as client:
            client.uid("STORE", "1:*", "+FLAGS", "\\Deleted")  # UIDs: there may be none
            client.expunge()


@contextmanager
def running_mail_server() -> Iterator[MailServer]:
    """Start both servers, and stop them with whatever they have started."""
    skip_if_left_out("mail")
    assert os.geteuid() == 0, "Postfix is started by root only: run as root, or ./blog test --without mail"
    # Not pytest's own temporary folder: that one is closed to the servers' users, and too deep for a socket's path.
    with tempfile.TemporaryDirectory(prefix="mail-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for attempt in range(3):
            mail = _configure(folder / str(attempt))
            with _processes(mail) as whole:
                if whole:
                    yield mail
                    return
        raise AssertionError(f"the mail servers do not start:\n{mail.log()}")


@contextmanager
def _processes(mail: MailServer) -> Iterator[bool]:
    """Run both; tell whether all their ports answer (another process may have taken one meanwhile)."""
    with (mail.folder / "output.log").open("wb") as output:
        commands = (
            [_program("dovecot"), "-F", "-c", str(mail.folder / "dovecot.conf")],
            [f"{_postfix('daemon_directory')}/master", "-d", "-c", str(mail.folder)],
        )
        processes = [
            subprocess.Popen(
                ["sh", "-c", _WATCHED, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=mail.folder,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"},
                start_new_session=True,
            )
            for command in commands
        ]
    try:
        ports = [mail.smtp_port, mail.submission_port, *mail.meddling_ports.values(), mail.imap_port, mail.imaps_port]
        deadline = time.monotonic() + 20
        while not (whole := all(map(_listens, ports))) and time.monotonic() < deadline:
            if any(process.poll() is not None for process in processes):
                break
            time.sleep(0.02)
        yield whole
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # whoever is left of its children
            process.wait(timeout=10)
            assert process.stdin
            process.stdin.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody on this machine listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _program(name: str) -> str:
    path = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    assert path, f"no {name}: run ./blog test, which installs it"
    return path


def _postfix(parameter: str) -> str:
    """What Postfix on this machine was built with."""
    command = [_program("postconf"), "-d", "-h", parameter]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _configure(folder: Path) -> MailServer:
    """Write everything that both need."""
    folder.mkdir()
    folder.chmod(0o755)
    smtp, submission, imap, imaps, *others = free_ports(4 + len(MEDDLING))
    ca, certificate, key = make_certificates(folder)
    mail = MailServer(folder, smtp, submission, dict(zip(MEDDLING, others, strict=True)), imap, imaps, ca)
    _configure_postfix(mail, certificate, key)
    _configure_dovecot(mail, certificate, key)
    return mail


def _configure_postfix(mail: MailServer, certificate: Path, key: Path) -> None:
    folder, owner, reader = mail.folder, pwd.getpwnam("postfix"), pwd.getpwnam("dovecot")
    for name in ("active", "bounce", "corrupt", "defer", "deferred", "hold", "incoming", "private", "public", "trace"):
        path = folder / "queue" / name
        path.mkdir(parents=True)
        os.chown(path, owner.pw_uid, owner.pw_gid)
        path.chmod(0o700)
    (folder / "queue" / "pid").mkdir()
    (folder / "data").mkdir()
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    tables = {
        "mailboxes": "".join(f"/^{re.escape(address)}$/ {address}/\n" for address in (BOUNCES, *INTERNATIONAL))
        + f"if /^[ -~]*$/\nif !/^{UNKNOWN}/\n/@(mail|blog)\\.test$/ x\nendif\nendif\n",
        "aliases": f"/@{re.escape(BOUNCE_DOMAIN)}$/ {BOUNCES}\n",
        # Dovecot takes no letters with SMTPUTF8; Postfix can put them, and reports on them, where Dovecot finds them.
        "transports": f"/[^ -~]/ virtual:\n/^{re.escape(BOUNCES)}$/ virtual:\n",
    }
    tables |= {name: f"{rule}\n" for name, (_, rule) in MEDDLING.items()}
    for name, text in tables.items():
        (folder / name).write_text(text, "utf-8")

    (folder / "main.cf").write_text(
        f"""\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {_postfix("command_directory")}
daemon_directory = {_postfix("daemon_directory")}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = mx.{MAIL_DOMAIN}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
# No mail leaves: not by this table, and master.cf has no service that could carry it.
default_transport = error:5.7.1 no outside mail
relay_transport = error:5.7.1 no outside mail
local_transport = error:5.7.1 no local mail
disable_dns_lookups = yes
smtp_host_lookup = native
alias_maps =
alias_database =
local_recipient_maps =
notify_classes =
fast_flush_domains =
local_header_rewrite_clients =
recipient_delimiter = +
virtual_mailbox_domains = {MAIL_DOMAIN}, {BLOG_DOMAIN}
virtual_mailbox_maps = regexp:{folder}/mailboxes
virtual_alias_domains = {BOUNCE_DOMAIN}
virtual_alias_maps = regexp:{folder}/aliases
virtual_transport = lmtp:unix:private/lmtp-in
transport_maps = regexp:{folder}/transports
virtual_mailbox_base = {folder}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{reader.pw_uid}
virtual_gid_maps = static:{reader.pw_gid}
message_size_limit = {_LARGEST}
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
in_flow_delay = 0
"""
    )

    def service(name: str, kind: str, program: str, *options: str, private: str = "-", limit: str = "-") -> str:
        return " ".join([name, kind, private, "-", "n", "-", limit, program, *(f"-o {option}" for option in options)])

    def taking(port: int, *options: str) -> str:
        return service(f"127.0.0.1:{port}", "inet", "smtpd", *options, private="n")

    services = [
        taking(mail.smtp_port),
        taking(
            mail.submission_port,
            "mynetworks=",
            "smtpd_tls_security_level=encrypt",
            "smtpd_sasl_auth_enable=yes",
            "smtpd_relay_restrictions=permit_sasl_authenticated,reject",
        ),
        *(
            taking(port, f"cleanup_service_name=cleanup-{name}", "content_filter=")
            for name, port in mail.meddling_ports.items()
        ),
        *(
            service(f"cleanup-{name}", "unix", "cleanup", f"{option}=regexp:{folder}/{name}", private="n", limit="0")
            for name, (option, _) in MEDDLING.items()
        ),
        service("cleanup", "unix", "cleanup", private="n", limit="0"),
        "qmgr unix n - n 300 1 qmgr",
        "tlsmgr unix - - n 1000? 1 tlsmgr",
        service("rewrite", "unix", "trivial-rewrite"),
        *(service(name, "unix", "bounce", limit="0") for name in ("bounce", "defer", "trace")),
        *(service(name, "unix", "error") for name in ("error", "retry")),
        service("lmtp", "unix", "lmtp"),
        *(service(name, "unix", name, limit="1") for name in ("anvil", "scache")),
        "postlog unix-dgram n - n - 1 postlogd",
        "virtual unix - n n - - virtual",
    ]
    (folder / "master.cf").write_text("\n".join(services) + "\n")


def _configure_dovecot(mail: MailServer, certificate: Path, key: Path) -> None:
    for part in ("lmtp", "imap"):
        _program(f"/usr/lib/dovecot/{part}")
    command = [_program("dovecot"), "--version"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert version.startswith("2.3."), f"this configuration is for Dovecot 2.3, the machine has {version.strip()}"
    folder, owner = mail.folder, pwd.getpwnam("dovecot")
    (folder / "mail").mkdir()
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    (folder / "gone").write_text("".join(f"{address}::::::\n" for address in GONE), "utf-8")
    (folder / "dovecot.conf").write_text(
        f"""\
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = mail-of-tests
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_username_chars =
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = 1
recipient_delimiter = +
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = passwd-file
  args = {folder}/gone
  result_success = return-fail
}}
userdb {{
  driver = static
  args = uid=dovecot gid=dovecot home={folder}/mail/%u allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    port = {mail.imap_port}
  }}
  inet_listener imaps {{
    port = {mail.imaps_port}
    ssl = yes
  }}
  process_min_avail = 1
  service_count = 0
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service lmtp {{
  unix_listener {folder}/queue/private/lmtp-in {{
    user = postfix
    mode = 0600
  }}
}}
service auth {{
  unix_listener {folder}/queue/private/auth {{
    user = postfix
    mode = 0600
  }}
}}
"""
    )


def make_certificates(folder: Path) -> tuple[Path, Path, Path]:
    """An authority of our own; a certificate of its for `localhost` and 127.0.0.1; that one's key."""
    now = datetime.datetime.now(datetime.UTC)

    def build(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        def name(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), x509.random_serial_number())
        return builder.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(2))

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    ca = build("Authority of the tests", "Authority of the tests", ca_key).add_extension(constraints, critical=True)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    ours = build("localhost", "Authority of the tests", key).add_extension(names, critical=False)
    files = folder / "ca.pem", folder / "certificate.pem", folder / "key.pem"
    pem = serialization.Encoding.PEM
    files[0].write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    files[1].write_bytes(ours.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    files[2].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return files
