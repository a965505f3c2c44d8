"""A site as nginx is told: one file for `/etc/nginx/sites-enabled/` (nginx 1.18 or newer, stock modules).

`add_header` is inherited only by a location that states none of its own
(nginx.org/en/docs/http/ngx_http_headers_module.html). So all of them stand in the server, with what differs in a
variable; the one location that has its own repeats them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from .policy import FILES_FRESH, PAGES_FRESH, TEXTS, TYPES
from .server import LARGEST_FORM, LARGEST_LETTER, WITHHELD_REQUEST_HEADERS, Server


def write_nginx(server: Server) -> str:
    """The configuration's text."""
    # Names that two sites, or a site and its onion service, may use in one nginx.
    slug = re.sub(r"\W", "_", server.host) + ("_plain" if server.plain else "")
    parts = [_maps(server, slug), "" if server.plain else _redirect(server), _server(server, slug)]
    return "\n".join(part for part in parts if part)


def _maps(server: Server, slug: str) -> str:
    lasting = "".join(
        f'    "~^(200|206|304) /{re.escape(quote(folder))}/" "public, max-age={FILES_FRESH}";\n'
        for folder in server.lasting
    )
    text = f"""\
# {server.host}: printed by ./blog deploy-config nginx. Print it again when settings or the theme's 404.html change.

# The page for an unknown address is that of its edition.
map $request_uri $not_found_{slug} {{
    default "/404.html";
    "~^/(?<edition>[A-Za-z0-9-]+)/" "/$edition/404.html";
}}

# Corrections and withdrawals arrive within minutes, style sheets within a day.
map "$status $request_uri" $cache_{slug} {{
    default "public, max-age={PAGES_FRESH}";
{lasting}}}
"""
    if server.mailroom or server.intake:
        text += f"""
# Where the service states a policy or how long a page may be kept, that holds.
map $upstream_http_content_security_policy $letter_policy_{slug} {{
    default "";
    "" "{server.letter_policy}";
}}
map $upstream_http_cache_control $letter_cache_{slug} {{
    default "";
    "" "no-store";
}}
"""
    if server.access_log:
        text += f"""
# What is logged: day, path and status. No address, no query, no browser.
map $time_iso8601 $day_{slug} {{
    "~^(?<date>[0-9-]+)T" $date;
}}
map $request_uri $path_{slug} {{
    "~^(?<without_query>[^?]*)" $without_query;
}}
log_format days_{slug} escape=json '$day_{slug} $request_method $path_{slug} $status $body_bytes_sent';
"""
    return text


def _redirect(server: Server) -> str:
    http = server.ports[0]
    return f"""\
server {{
    listen {http};
    listen [::]:{http};
    server_name {server.host};
    server_tokens off;
    access_log off;
    error_log /var/log/nginx/error.log emerg;
    # certbot certonly --webroot -w /var/www/certbot -d {server.host}
    location ^~ /.well-known/acme-challenge/ {{
        root /var/www/certbot;
    }}
    location / {{
        return 301 https://{server.host}$request_uri;
    }}
}}
"""


def _server(server: Server, slug: str) -> str:
    log = "access_log off;"
    if server.access_log:
        log = f"access_log /var/log/{server.host}/access.log days_{slug};"
    return f"""\
server {{
{_listen(server)}
    root {server.root};
    index index.html;
    autoindex off;
    absolute_redirect off;
    server_tokens off;

    # An error above "emerg" may carry a visitor's address, a failed TLS handshake for one.
    {log}
    error_log /var/log/nginx/error.log emerg;
    log_not_found off;
{_rotation(server)}
    types {{
{_lines((f"{kind} {ending};" for ending, kind in TYPES.items()), 8)}
    }}
    default_type application/octet-stream;
    charset utf-8;
    charset_types {" ".join(dict.fromkeys(TYPES[ending] for ending in TEXTS if ending != "html"))};

    # Compressed while building (POLICY_PRECOMPRESS).
    gzip off;
    gzip_static on;
    gzip_vary on;

{_lines(_added(server.headers), 4)}
    add_header Cache-Control $cache_{slug} always;

    error_page 403 404 =404 @not_found;
    location @not_found {{
        try_files $not_found_{slug} /404.html =404;
    }}
    location ~ /\\.(?!well-known(/|$)) {{
        return 404;
    }}
    location = /_headers {{
        return 404;
    }}
{_letters(server, slug)}}}
"""


def _listen(server: Server) -> str:
    if server.plain:
        return f"    listen {server.plain};\n    server_name {server.host} *.onion localhost;"
    certificate = server.certificate or f"/etc/letsencrypt/live/{server.host}/fullchain.pem"
    key = server.key or f"/etc/letsencrypt/live/{server.host}/privkey.pem"
    return f"""\
    listen {server.ports[1]} ssl http2;
    listen [::]:{server.ports[1]} ssl http2;
    server_name {server.host};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets off;
"""


def _rotation(server: Server) -> str:
    if not server.access_log:
        return ""
    return f"""
    # /etc/logrotate.d/{server.host}, so that no line is older than PRIVACY_ACCESS_LOG says ({server.access_log}):
    #   /var/log/{server.host}/access.log {{
    #       daily
    #       rotate {server.access_log - 1}
    #       missingok
    #       create 640 www-data adm
    #       postrotate
    #           invoke-rc.d nginx rotate >/dev/null
    #       endscript
    #   }}
"""


def _letters(server: Server, slug: str) -> str:
    """What stands behind `/mail/`: the form for submissions has a process of its own."""
    letters = _hand_on(server, slug, "/mail/", server.mailroom, LARGEST_LETTER) if server.mailroom else ""
    return letters + (_hand_on(server, slug, "/mail/form", server.intake, LARGEST_FORM) if server.intake else "")


def _hand_on(server: Server, slug: str, path: str, address: str, largest: int) -> str:
    hidden = [*server.letter_headers, "Set-Cookie", "Server"]
    return f"""
    # Nothing of a letter or a submission is written to disk or logged on its way.
    location {path} {{
        proxy_pass http://{address};
        proxy_http_version 1.1;
        proxy_request_buffering off;
        proxy_buffering off;
        client_max_body_size {largest // 1024}k;
        access_log off;
        proxy_set_header Host $host;
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
{_lines((f'proxy_set_header {name} "";' for name in WITHHELD_REQUEST_HEADERS), 8)}
{_lines((f"proxy_hide_header {name};" for name in hidden), 8)}
{_lines(_added(server.letter_headers), 8)}
        add_header Content-Security-Policy $letter_policy_{slug} always;
        add_header Cache-Control $letter_cache_{slug} always;
    }}
"""


def _added(headers: Mapping[str, str]) -> Iterable[str]:
    return (f'add_header {name} "{value}" always;' for name, value in headers.items())


def _lines(lines: Iterable[str], indent: int) -> str:
    return "\n".join(" " * indent + line for line in lines)
