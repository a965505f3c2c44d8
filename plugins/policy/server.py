"""What a web server must be told about a site, whichever server it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .privacy import read_privacy
from .settings import check_address, read_configuration
from .site import lasting_folders, make_policy

#: In bytes: a campaign's draft is smaller.
LARGEST_LETTER = 5 * 1024 * 1024
#: The form takes 4 MB of files. Of more it throws away what it cannot take, and shows again what was typed beside it.
#: Far more, such as a film, it refuses by the head alone, in the sender's language; a web server's page has but one.
LARGEST_FORM = 1024 * 1024 * 1024

#: What the service under /mail/ need not know of its visitors.
WITHHELD_REQUEST_HEADERS = ("Cookie", "Referer", "User-Agent")


@dataclass(frozen=True, slots=True)
class Server:
    """One site on one server.

    `plain` is the "address:port" of a site without TLS, such as an onion service's; "" for the public one.
    `access_log` is for how many days requests are logged, 0 for no log. `ports` are those of HTTP and HTTPS on this
    machine; visitors know 80 and 443.
    """

    host: str
    root: str
    headers: Mapping[str, str]
    lasting: tuple[str, ...]
    mailroom: str
    intake: str
    access_log: int
    certificate: str = ""
    key: str = ""
    plain: str = ""
    ports: tuple[int, int] = (80, 443)

    @property
    def letter_headers(self) -> dict[str, str]:
        """The headers of what the service answers: the table's, but for the policy of content, which is its own."""
        return {name: value for name, value in self.headers.items() if name != "Content-Security-Policy"}

    @property
    def letter_policy(self) -> str:
        """The policy of content for the service's pages where it states none: the table's, with its own forms."""
        return re.sub("form-action [^;]*", "form-action 'self'", self.headers["Content-Security-Policy"])


def make_server(
    settings: Mapping[str, Any],
    *,
    root: str = "",
    mailroom: str | None = None,
    intake: str | None = None,
    certificate: str = "",
    key: str = "",
    plain: str = "",
    ports: tuple[int, int] = (80, 443),
) -> Server:
    """Put together what the settings and the command line say. `mailroom` and `intake` are as in the settings if None.

    Raises ConfigurationError where the site's address is missing or not at the root of its host, and for what a
    server's configuration could not hold.
    """
    configuration = read_configuration(settings)
    site_url = str(settings.get("SITEURL") or "")
    host = urlsplit(site_url).hostname or ""
    if not re.fullmatch(r"[a-z0-9.-]+", host) or urlsplit(site_url).path.strip("/"):
        raise ConfigurationError("SITEURL", site_url, "use https://host, without a path, for a server to serve")
    if bool(certificate) != bool(key):
        raise ConfigurationError("--certificate, --key", certificate or key, "state both or neither")
    mailroom = configuration.mailroom if mailroom is None else mailroom
    if mailroom:
        check_address("--mailroom", mailroom)
    intake = configuration.intake if intake is None else intake
    if intake:
        check_address("--intake", intake)
    if plain:
        check_address("--http", plain)
    root = root or f"/srv/www/{host}"
    for option, path in (("--root", root), ("--certificate", certificate), ("--key", key)):
        if re.search(r"""[\s"'`;{}$\\]""", path):
            raise ConfigurationError(option, path, "use a path without spaces, quotes, braces, $ and \\")
    privacy = read_privacy(settings)
    log = privacy.access_log if privacy else None
    return Server(
        host=host,
        root=root,
        headers=make_policy(settings, configuration).headers(encrypted=not plain),
        lasting=tuple(lasting_folders(settings)),
        mailroom=mailroom,
        intake=intake,
        access_log=log if isinstance(log, int) else 0,
        certificate=certificate,
        key=key,
        plain=plain,
        ports=ports,
    )
