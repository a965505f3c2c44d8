"""A site as Caddy is told: a whole Caddyfile (Caddy 2.6 or newer, stock modules).

Caddy fetches and renews the certificate itself and leads from HTTP to HTTPS. Directives stand in `route`, which keeps
their order; elsewhere Caddy sorts them, and a general header would win over a special one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .policy import FILES_FRESH, PAGES_FRESH, TEXTS, TYPES
from .server import LARGEST_FORM, LARGEST_LETTER, WITHHELD_REQUEST_HEADERS, Server


def write_caddy(server: Server) -> str:
    """The Caddyfile's text."""
    site = f"http://{server.plain}" if server.plain else server.host
    bind = ""
    if server.plain:
        # A host in the address of a site is one that visitors name; an onion service's name is none we know.
        address, _, port = server.plain.rpartition(":")
        site, bind = f"http://:{port}", f"\n\tbind {address}"
    tls = f"\n\ttls {server.certificate} {server.key}" if server.certificate and not server.plain else ""
    lasting = " ".join(_quoted(f"/{folder}/*") for folder in server.lasting)
    return f"""\
# {server.host}: printed by ./blog deploy-config caddy. Print it again when settings or the theme's 404.html change.
{{
{_ports(server)}	# These would carry a visitor's address: of a request that failed or was not answered.
	log {{
		exclude http.log.error http.handlers http.stdlib
	}}
}}

(policy) {{
{_lines(_stated(server.headers), 1)}
}}

{site} {{{bind}{tls}
	root * {server.root}
{_log(server)}
	map {{path}} {{not_found}} {{
		~^/([A-Za-z0-9-]+)/ /${{1}}/404.html
		default /404.html
	}}
{_letters(server)}
	handle {{
		route {{
			import policy
			header -Server
			header Cache-Control "public, max-age={PAGES_FRESH}"
			@lasting path {lasting or "/theme/*"}
			header @lasting Cache-Control "public, max-age={FILES_FRESH}"
{_lines(_types(), 3)}
			@hidden {{
				path */.* /_headers
				not path /.well-known/*
			}}
			error @hidden 404
			file_server {{
				precompressed gzip
			}}
		}}
	}}

	# The page for an unknown address is that of its edition.
	handle_errors {{
		route {{
			import policy
			header -Server
			header Cache-Control "public, max-age={PAGES_FRESH}"
			header Content-Type "text/html; charset=utf-8"
			@missing {{
				expression {{http.error.status_code}} in [403, 404]
				file {{
					try_files {{not_found}} /404.html
				}}
			}}
			handle @missing {{
				rewrite * {{http.matchers.file.relative}}
				file_server {{
					precompressed gzip
					status 404
				}}
			}}
			header Content-Type "text/plain; charset=utf-8"
			respond "{{http.error.status_code}} {{http.error.status_text}}"
		}}
	}}
}}
"""


def _ports(server: Server) -> str:
    if server.plain or server.ports == (80, 443):
        return ""
    return f"\thttp_port {server.ports[0]}\n\thttps_port {server.ports[1]}\n"


def _types() -> Iterable[str]:
    for ending, kind in TYPES.items():
        charset = "; charset=utf-8" if ending in TEXTS else ""
        yield f"@{ending} path *.{ending}"
        yield f'header @{ending} Content-Type "{kind}{charset}"'


def _log(server: Server) -> str:
    if not server.access_log:
        return "\t# No access log: Caddy writes one only where `log` asks for it.\n"
    fields = ("remote_ip", "remote_port", "client_ip", "headers", "tls", "proto", "host")
    return f"""
	# What is logged: day, path and status. No address, no query, no browser.
	log {{
		output file /var/log/{server.host}/access.log {{
			roll_disabled
		}}
		format filter {{
			wrap json {{
				time_format "2006-01-02"
			}}
			fields {{
{_lines((f"request>{name} delete" for name in fields), 4)}
				request>uri regexp "\\?.*$" ""
				resp_headers delete
				user_id delete
				duration delete
			}}
		}}
	}}
	# /etc/logrotate.d/{server.host}, so that no line is older than PRIVACY_ACCESS_LOG says ({server.access_log}):
	#   /var/log/{server.host}/access.log {{
	#       daily
	#       rotate {server.access_log - 1}
	#       missingok
	#       copytruncate
	#   }}
"""


def _letters(server: Server) -> str:
    """What stands behind `/mail/`: the form for submissions, with a process of its own, is the first that matches."""
    redirection = "\n\tredir /mail /mail/ 301" if server.mailroom else ""
    forms = _hand_on(server, "/mail/form*", server.intake, LARGEST_FORM) if server.intake else ""
    letters = _hand_on(server, "/mail/*", server.mailroom, LARGEST_LETTER) if server.mailroom else ""
    return redirection + forms + letters


def _hand_on(server: Server, path: str, address: str, largest: int) -> str:
    hidden = [*server.letter_headers, "Set-Cookie", "Server"]
    return f"""
	# Nothing of a letter or a submission is written to disk or logged on its way.
	handle {path} {{
		route {{{_skip_log(server)}
{_lines(_stated(server.letter_headers), 3)}
			header ?Content-Security-Policy "{server.letter_policy}"
			header ?Cache-Control "no-store"
			header -Server
			request_body {{
				max_size {largest}
			}}
			reverse_proxy {address} {{
				flush_interval -1
{_lines((f"header_up -{name}" for name in WITHHELD_REQUEST_HEADERS), 4)}
{_lines((f"header_down -{name}" for name in hidden), 4)}
			}}
		}}
	}}
"""


def _skip_log(server: Server) -> str:
    return "\n\t\t\tskip_log" if server.access_log else ""


def _stated(headers: Mapping[str, str]) -> Iterable[str]:
    return (f'header {name} "{value}"' for name, value in headers.items())


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _lines(lines: Iterable[str], tabs: int) -> str:
    return "\n".join("\t" * tabs + line for line in lines)
