"""The printed configurations in real servers: what a visitor gets, and what is left of the visit."""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from policy.policy import DENIED_FEATURES

from tests.frontdoor.support import wait_until
from tests.multilingual.sites import Site
from tests.policy.servers import (
    BROWSER,
    HOST,
    VISITOR,
    WebServer,
    configure_nginx,
    make_certificate,
    print_configuration,
    running,
)

KINDS = ("nginx", "caddy")
#: A folder as an editor may call it.
FOLDER = 'снимки и "письма"'
CANARY = "somebody-asked-for-this"
#: What every answer has, whoever gave it; None: not at all.
EVERYWHERE = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in DENIED_FEATURES),
    "Set-Cookie": None,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A small site, built as it is published."""
    site = Site(
        tmp_path_factory.mktemp("served"),
        PLUGINS=["multilingual", "policy"],
        POLICY_PRECOMPRESS=True,
        POLICY_HEADER_FILES=("_headers",),
        POLICY_ROBOTS=True,
        POLICY_HSTS_DAYS=30,
        POLICY_SECURITY_CONTACT=("mailto:safe@site.example",),
        PRIVACY_ACCESS_LOG="none",
        STATIC_PATHS=["images", "files", FOLDER],
    )
    site.article("en", "one", "A paragraph. " * 200)
    site.translation("fa", "one", "en", "یک بند. " * 200)
    site.write("files/cite.bib", "@misc{one}\n" * 200)
    site.write(f"{FOLDER}/in/a.txt", "text")
    site.write("files/cite.ris", "TY  - GEN\n" * 200)
    site.write("images/.secret", "hidden")
    site.build_whole()
    (site.output / ".git").mkdir()
    (site.output / ".git" / "config").write_text("hidden", "utf-8")
    publish(site)
    return site


def publish(site: Site, **overrides: object) -> None:
    """Write the settings for publishing, of which the configuration is made."""
    text = "".join(f"{name} = {value!r}\n" for name, value in (site.configuration | overrides).items())
    (site.folder / "publishconf.py").write_text(text, "utf-8")


@pytest.fixture(scope="module", params=KINDS)
def web(request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with running(request.param, site.folder, tmp_path_factory.mktemp("web") / request.param) as server:
        yield server


PAGES = {
    "/": (200, "text/html; charset=utf-8", 300),
    "/fa/": (200, "text/html; charset=utf-8", 300),
    "/en/one/": (200, "text/html; charset=utf-8", 300),
    "/theme/css/site.css": (200, "text/css; charset=utf-8", 86400),
    "/theme/icon.svg": (200, "image/svg+xml; charset=utf-8", 86400),
    "/en/feed.atom": (200, "application/atom+xml; charset=utf-8", 300),
    "/sitemap.xml": (200, "text/xml; charset=utf-8", 300),
    "/files/cite.bib": (200, "application/x-bibtex; charset=utf-8", 86400),
    "/files/cite.ris": (200, "application/x-research-info-systems; charset=utf-8", 86400),
    f"/{quote(FOLDER)}/in/a.txt": (200, "text/plain; charset=utf-8", 86400),
    "/robots.txt": (200, "text/plain; charset=utf-8", 300),
    "/.well-known/security.txt": (200, "text/plain; charset=utf-8", 300),
    f"/fa/{CANARY}": (404, "text/html; charset=utf-8", 300),
    f"/theme/{CANARY}.css": (404, "text/html; charset=utf-8", 300),
    f"/{CANARY}.atom": (404, "text/html; charset=utf-8", 300),
}


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_has_the_headers_of_the_table(web: WebServer, path: str) -> None:
    answer = web.get(path)
    status, kind, seconds = PAGES[path]
    assert answer.status == status
    assert (answer["Content-Type"] or "").lower() == kind
    assert answer["Cache-Control"] == f"public, max-age={seconds}"
    assert answer["Strict-Transport-Security"] == f"max-age={30 * 86400}"
    for name, value in EVERYWHERE.items():
        assert answer[name] == value, name
    policy = answer["Content-Security-Policy"] or ""
    assert policy.startswith("default-src 'none'; style-src 'self' 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"\d", answer["Server"] or ""), "the server tells its version"


@pytest.mark.parametrize(
    "path", ["/", "/en/one/", "/theme/css/site.css", "/en/feed.atom", "/files/cite.bib", "/nowhere"]
)
def test_compressed_files_are_delivered_to_who_takes_them(web: WebServer, path: str) -> None:
    packed, plain = web.get(path, Accept_Encoding="gzip, deflate, br"), web.get(path)
    assert packed["Content-Encoding"] == "gzip"
    assert plain["Content-Encoding"] is None
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)
    assert "accept-encoding" in (packed["Vary"] or "").lower()
    assert packed["Content-Type"] == plain["Content-Type"]


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/nowhere", "404.html"),
        ("/nowhere/at/all/", "404.html"),
        ("/fa/nowhere", "fa/404.html"),
        ("/fa/one/deeper/?query", "fa/404.html"),
        ("/zh-Hans/nowhere/", "zh-Hans/404.html"),
        ("/fr/nowhere/", "404.html"),  # not a language of this site
        ("/images/", "404.html"),  # a folder without a page is not listed
        ("/.git/config", "404.html"),
        ("/images/.secret", "404.html"),
        ("/.well-known/.git", "404.html"),
        ("/_headers", "404.html"),
        ("/fa/../../../etc/passwd", None),
        ("/fa/%2e%2e/%2e%2e/%2e%2e/etc/passwd", None),
    ],
)
def test_an_unknown_address_is_answered_in_the_reader_s_language(
    web: WebServer, site: Site, path: str, file: str | None
) -> None:
    answer = web.get(path)
    if file is None:
        assert answer.status in (400, 404)
        assert b"root:" not in answer.body
    else:
        assert answer.status == 404
        assert answer.body == (site.output / file).read_bytes()


def test_folders_lead_to_their_pages_and_http_to_https(web: WebServer) -> None:
    moved = web.get("/en/one")
    assert moved.status in (301, 308)
    assert moved["Location"] in ("/en/one/", "one/")
    upgraded = web.get("/fa/one/", tls=False)
    assert upgraded.status in (301, 308)
    assert upgraded["Location"] == f"https://{HOST}/fa/one/"


def test_letters_reach_the_mailroom_without_what_it_need_not_know(web: WebServer) -> None:
    web.mailroom.requests.clear()
    body = b"sealed" * 1024
    answer = web.get(
        "/mail/apply", method="POST", body=body,
        Cookie="a=1", Referer=f"https://{HOST}/fa/", X_Forwarded_For="10.1.2.3", Content_Type="text/plain",
    )  # fmt: skip
    assert (answer.status, answer.body) == (200, b"letter")
    [(method, path, headers, arrived)] = web.mailroom.requests
    assert (method, path, arrived) == ("POST", "/mail/apply", body)
    assert headers["Host"].split(":")[0] == HOST
    assert headers["X-Forwarded-For"] == VISITOR
    assert headers["X-Forwarded-Proto"] == "https"
    assert not {"cookie", "referer"} & {name.lower() for name in headers}
    assert BROWSER not in str(headers)
    for name, value in EVERYWHERE.items():
        assert answer[name] == value, name
    assert answer["Cache-Control"] == "no-store"
    assert "form-action 'self'" in (answer["Content-Security-Policy"] or "")


def test_the_form_is_handed_to_its_own_process(web: WebServer) -> None:
    web.mailroom.requests.clear()
    web.intake.requests.clear()
    for path in ("/mail/form", "/mail/form/receipt?lang=fa", "/mail/subscribe"):
        assert web.get(path, Cookie="a=1").status == 200
    assert [request[1] for request in web.intake.requests] == ["/mail/form", "/mail/form/receipt?lang=fa"]
    assert [request[1] for request in web.mailroom.requests] == ["/mail/subscribe"]
    assert "cookie" not in {name.lower() for request in web.intake.requests for name in request[2]}


def test_the_mailroom_s_own_answers_stand(web: WebServer) -> None:
    strict = web.get("/mail/strict")
    assert (strict["Content-Security-Policy"], strict["Cache-Control"]) == ("default-src 'none'", "no-store")
    answer = web.get("/mail/unknown")
    assert (answer.status, answer.body) == (404, b"letter")


def test_the_largest_submission_fits_and_no_larger_one(web: WebServer) -> None:
    web.mailroom.requests.clear()
    body = b"\0" * (4 * 1024 * 1024 + 64 * 1024)
    assert web.get("/mail/apply", method="POST", body=body).status == 200
    assert len(web.mailroom.requests[0][3]) == len(body)
    connection_ended = False
    try:
        status = web.get("/mail/apply", method="POST", body=b"\0" * (6 * 1024 * 1024)).status
    except (ConnectionError, BrokenPipeError):
        connection_ended = True
    assert connection_ended or status in (413, 502)
    assert all(len(request[3]) == len(body) for request in web.mailroom.requests)


def test_a_submission_passes_through_without_being_stored(web: WebServer) -> None:
    """The service has the head of a request before its body was sent: so nothing waits for it on a disk."""
    web.mailroom.head_arrived.clear()

    def slowly() -> Iterator[bytes]:
        yield b"first half "
        wait_until(web.mailroom.head_arrived.is_set, "the server holds the request back")
        yield b"second half"

    web.get("/mail/apply", method="POST", body=slowly(), Content_Length="22")
    assert web.mailroom.requests[-1][3] == b"first half second half"


def test_nothing_is_left_of_a_visit(web: WebServer) -> None:
    """Also of requests that fail: to a service that is down, with a broken TLS handshake, for what does not exist."""
    for path in (f"/fa/{CANARY}?{CANARY}", f"/mail/{CANARY}", f"/%00{CANARY}", f"/{CANARY}/" + "x" * 300):
        web.get(path)
        web.get(path, tls=False)
    web.mailroom.server.socket.close()  # whoever asks now is refused
    assert web.get(f"/mail/{CANARY}").status == 502
    for garbage in (b"\x16\x03\x01\x00\x05garbage", f"GET /{CANARY} HTTP/1.1\r\n\r\n".encode()):
        with socket.create_connection(("127.0.0.1", web.port), source_address=(VISITOR, 0)) as raw:
            raw.sendall(garbage)
            raw.settimeout(5)
            with_answer = b""
            with contextlib.suppress(TimeoutError, ConnectionError):
                with_answer = raw.recv(1024)
            assert VISITOR.encode() not in with_answer
    written = web.written()
    for trace in (VISITOR, CANARY, BROWSER):
        assert trace not in written, next(line for line in written.splitlines() if trace in line)


# Other shapes


@pytest.mark.parametrize("kind", KINDS)
def test_an_onion_service_is_served_without_tls_and_without_its_header(site: Site, tmp_path: Path, kind: str) -> None:
    with running(kind, site.folder, tmp_path / kind, plain=True) as web:
        answer = web.get("/fa/", tls=False, Host="abcdefghijklmnop.onion")
        assert answer.status == 200
        assert answer["Strict-Transport-Security"] is None
        for name, value in EVERYWHERE.items():
            assert answer[name] == value, name
        assert web.get("/fa/nowhere", tls=False, Host="abc.onion").body == (site.output / "fa/404.html").read_bytes()
        assert web.get("/en/one", tls=False, Host="abc.onion")["Location"] in ("/en/one/", "one/")
        assert web.get("/mail/x", tls=False, Host="abc.onion").body == b"letter"


def test_nginx_takes_a_site_and_its_onion_service_together(site: Site, tmp_path: Path) -> None:
    publish(site, PRIVACY_ACCESS_LOG=7)
    try:
        certificate, key = make_certificate(tmp_path)
        public = print_configuration(
            site.folder, "nginx", "--certificate", certificate, "--key", key, "--ports", "18080,18443"
        )
        onion = print_configuration(site.folder, "nginx", "--http", "127.0.0.1:18090")
    finally:
        publish(site)
    folder = tmp_path / "nginx"
    folder.mkdir()
    assert configure_nginx(folder, public, onion)


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_that_is_claimed_has_day_and_path_only(site: Site, tmp_path: Path, kind: str) -> None:
    publish(site, PRIVACY_ACCESS_LOG=14)
    try:
        with running(kind, site.folder, tmp_path / kind) as web:
            web.get("/fa/one/?query=secret", Referer="https://elsewhere.example/")
            web.get("/mail/letter")
            log = web.folder / "access.log"
            wait_until(lambda: log.is_file() and "/fa/one/" in log.read_text(), "nothing is logged")
            lines = log.read_text().splitlines()
            text = print_configuration(site.folder, kind)
    finally:
        publish(site)
    assert len(lines) == 1, "letters are logged too"
    assert re.search(r"\d{4}-\d\d-\d\d", lines[0])
    for absent in (VISITOR, BROWSER, "query", "secret", "elsewhere", "mail"):
        assert absent not in lines[0]
    assert not re.search(r"\d\d:\d\d|\d{10}", lines[0]), "the time of day"
    assert "rotate 13" in text


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_mailroom_there_is_no_way_to_one(site: Site, kind: str) -> None:
    text = print_configuration(site.folder, kind, "--mailroom", "none", "--intake", "none")
    assert "/mail" not in text
    assert "proxy" not in text


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["nginx", "--root", "/srv/a b"], {}, "--root"),
        (["caddy", "--root", "/srv/{x}"], {}, "--root"),
        (["nginx", "--mailroom", "elsewhere"], {}, "--mailroom"),
        (["nginx", "--http", "127.0.0.1"], {}, "--http"),
        (["nginx", "--key", "/k"], {}, "--certificate"),
        (["nginx", "--ports", "80"], {}, "two port numbers"),
        (["nginx"], {"SITEURL": ""}, "SITEURL"),
        (["nginx"], {"SITEURL": "https://site.example/blog"}, "SITEURL"),
        (["nginx"], {"SITEURL": "https://site.example;evil"}, "SITEURL"),
        (["nginx"], {"POLICY_MAILROOM": "127.0.0.1:8025; evil"}, "POLICY_MAILROOM"),
        (["nginx", "--intake", "8027"], {}, "--intake"),
        (["caddy"], {"POLICY_INTAKE": "127.0.0.1"}, "POLICY_INTAKE"),
        (["apache"], {}, "apache"),
    ],
)
def test_what_a_configuration_cannot_hold_is_refused(
    tmp_path: Path, arguments: list[str], settings: dict[str, object], said: str
) -> None:
    site = Site(tmp_path, **settings)
    publish(site)
    with pytest.raises(AssertionError, match=re.escape(said)):
        print_configuration(site.folder, *arguments)


@pytest.mark.parametrize("arguments", [(), ("--http", "127.0.0.1:18091")])
def test_nginx_takes_the_publication_s_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """PCRE2 before 10.44 refuses names of more than 32 letters within an expression; variables may be longer."""
    monkeypatch.setenv("PRIVACY_ACCESS_LOG", "7")
    root = Path(__file__).resolve().parents[2]
    if not arguments:
        certificate, key = make_certificate(tmp_path)
        arguments = ("--certificate", certificate, "--key", key, "--ports", "18080,18443")
    done = subprocess.run(
        [sys.executable, str(root / "blog"), "deploy-config", "nginx", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "nginx"
    folder.mkdir()
    assert configure_nginx(folder, done.stdout.replace("/var/log/thehuman-rights.com/", f"{folder}/"))
    names = re.findall(r"\(\?<(\w+)>", done.stdout)
    assert names
    assert max(map(len, names)) <= 32


def test_the_front_door_prints_the_site_s_own() -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, str(root / "blog"), "deploy-config", "nginx"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "server_name thehuman-rights.com;" in done.stdout
    assert "root /srv/www/thehuman-rights.com;" in done.stdout
