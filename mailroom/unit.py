"""The mailroom as systemd is told: one unit file for `/etc/systemd/system/mailroom.service` (systemd 247 or newer)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mailroom.errors import ConfigurationError
from mailroom.service import PATIENCE
from mailroom.settings import Settings

#: Where systemd makes folders for services, by the names in StateDirectory= and RuntimeDirectory=.
STATE, RUN = Path("/var/lib"), Path("/run")


def write_unit(settings: Settings, root: Path, python: Path, user: str = "mailroom") -> str:
    """The unit's text. Raises ConfigurationError for what a unit cannot hold, or cannot do."""
    if settings.key == "ask":
        remedy = "systemd cannot ask for it: start `./blog mailroom run` in a terminal, or name a file on a tmpfs"
        raise ConfigurationError("MAILROOM_KEY", "ask", remedy)
    for name, path in (("the project's folder", root), ("MAILROOM_DATA", settings.data), ("python", python)):
        if re.search(r"[^\w./@+-]", str(path)):
            raise ConfigurationError(name, str(path), "use a path of letters, digits and ./@+-_ for a unit")
    if not re.fullmatch(r"[a-z_][a-z0-9_-]*", user):
        raise ConfigurationError("--user", user, "use the name of a system user, such as mailroom")
    places = "\n".join(_places(settings))
    return f"""\
# Printed by ./blog mailroom unit. Print it again when MAILROOM_DATA or the project's folder moves.
#   adduser --system --group --no-create-home {user}
#   systemctl enable --now mailroom
[Unit]
Description=Mailroom: who gets letters, and the letters
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={python} {root}/blog mailroom run
WorkingDirectory={root}
# Settings, passwords among them: owned by root, mode 0600. What stands in {root}/.env is read as well.
EnvironmentFile=-/etc/mailroom.env
User={user}
Group={user}
{places}
Restart=on-failure
RestartSec=10
# SIGTERM to the process that watches over the others; they finish the letters that are on their way.
KillMode=mixed
TimeoutStopSec={PATIENCE + 10:.0f}
UMask=0077

# No core file and no swap: both would hold addresses, keys and what people in need send. For all of the machine:
# swapoff -a. Where there are no control groups (version 2), the intake locks its memory itself, if it may.
LimitCORE=0
LimitMEMLOCK=infinity
MemorySwapMax=0
OOMScoreAdjust=-100

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @keyring
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def _places(settings: Settings) -> Iterator[str]:
    """Where it may write, and nowhere else: data, sockets, and the Maildir whose reports it deletes."""
    if settings.data.parent == STATE:
        yield f"StateDirectory={settings.data.name}\nStateDirectoryMode=0700"
    else:
        yield f"ReadWritePaths={settings.data}"
    sockets = {
        Path(each.removeprefix("unix:")).parent for each in (settings.listen, settings.api_listen) if "/" in each
    }
    for folder in sorted(sockets):
        yield f"RuntimeDirectory={folder.name}" if folder.parent == RUN else f"ReadWritePaths={folder}"
    if settings.bounces == "maildir":
        yield f"ReadWritePaths={settings.bounce_maildir}"
