"""The command of this part: `deploy-config`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

# Whatever loads Pelican is imported where it is used, so that `--help` answers at once.


def add_commands(subparsers: Any, root: Path) -> None:
    """Add this part's command to the front door."""
    parser = subparsers.add_parser(
        "deploy-config",
        help="print the configuration of a web server",
        description="Print a configuration that serves the site as its settings promise: headers, compressed files, "
        "pages for unknown addresses in each language, /mail/, and no more of a log than PRIVACY_ACCESS_LOG says.",
    )
    parser.add_argument("server", choices=("nginx", "caddy"))
    parser.add_argument("--root", default="", metavar="DIR", help="where output/ is copied to (default: /srv/www/HOST)")
    parser.add_argument(
        "--mailroom",
        metavar="HOST:PORT",
        help="what stands behind /mail/, or none (default: POLICY_MAILROOM, 127.0.0.1:8025)",
    )
    parser.add_argument(
        "--intake",
        metavar="HOST:PORT",
        help="what stands behind /mail/form, or none (default: POLICY_INTAKE)",
    )
    parser.add_argument("--certificate", default="", metavar="FILE", help="of TLS (nginx: certbot's; Caddy: its own)")
    parser.add_argument("--key", default="", metavar="FILE", help="the certificate's key")
    parser.add_argument(
        "--http",
        default="",
        metavar="ADDRESS:PORT",
        help="without TLS at this address, such as 127.0.0.1:8080: what an onion service leads to",
    )
    parser.add_argument(
        "--ports",
        type=_ports,
        default=(80, 443),
        metavar="HTTP,HTTPS",
        help="where another machine leads 80 and 443 to",
    )
    parser.set_defaults(run=lambda args: print_configuration(args, root))


def print_configuration(args: argparse.Namespace, root: Path) -> int:
    """Print it, from the settings for publishing."""
    from pelican.settings import read_settings

    from .caddy import write_caddy
    from .errors import ConfigurationError
    from .nginx import write_nginx
    from .server import make_server

    file = root / "publishconf.py"
    if not file.is_file():
        raise ConfigurationError("settings", file.name, "there is no such file: deploy-config prints what is published")
    settings = read_settings(str(file))
    server = make_server(
        settings,
        root=args.root,
        mailroom="" if args.mailroom == "none" else args.mailroom,
        intake="" if args.intake == "none" else args.intake,
        certificate=args.certificate,
        key=args.key,
        plain=args.http,
        ports=args.ports,
    )
    print({"nginx": write_nginx, "caddy": write_caddy}[args.server](server), end="")
    return 0


def _ports(text: str) -> tuple[int, int]:
    http, _, https = text.partition(",")
    if not http.isdigit() or not https.isdigit():
        raise argparse.ArgumentTypeError("two port numbers, such as 8080,8443")
    return int(http), int(https)
