"""The site, as it is published: no draft, nothing of what was there before.

Secrets come from the environment or from .env, never from this file.
"""

import os
import sys
from pathlib import Path

# Pelican runs a settings file as it stands; its neighbour is found through the path.
sys.path.insert(0, str(Path(__file__).parent))
from dotenv import dotenv_values

from pelicanconf import *  # noqa: F403 (a settings file is all names)

# Of these names, small letters are none of Pelican's settings: no template sees what else .env holds.
environment = {**dotenv_values(Path(__file__).with_name(".env"), encoding="utf-8-sig"), **os.environ}

MULTILINGUAL_DRAFTS = False
DELETE_OUTPUT_DIRECTORY = True

# The practice's own numbers, with their country's code; None shows none.
CONTACT_PHONE = None
CONTACT_WHATSAPP = None
# The sealed form: "/mail/form" when the mailroom takes submissions behind this site's server, None while it does not,
# "elsewhere" for mirrors and copies on a disk. The recipients are those of MAILROOM_INTAKE_RECIPIENTS, without days.
CONTACT_INTAKE = environment.get("CONTACT_INTAKE") or None
CONTACT_AGE_RECIPIENTS = tuple((environment.get("CONTACT_AGE_RECIPIENTS") or "").replace(",", " ").split())

# Headers for hosts that read them from a file, and what a small server need not compress.
POLICY_HEADER_FILES = ("_headers",)
POLICY_PRECOMPRESS = True
POLICY_INTAKE = "127.0.0.1:8027" if CONTACT_INTAKE not in (None, "elsewhere") else ""
# A browser that was here once comes back encrypted or not at all.
POLICY_HSTS_DAYS = 365

# What only the operator knows, and the privacy page says. `./blog check --production` refuses while it is missing.
PRIVACY_ACCESS_LOG = environment.get("PRIVACY_ACCESS_LOG")  # "none", for how many days, or "host"
PRIVACY_HOST = environment.get("PRIVACY_HOST")  # who runs the server
PRIVACY_HOST_COUNTRY = environment.get("PRIVACY_HOST_COUNTRY")  # where it stands: IS, CH, ...
PRIVACY_MAILING_SERVICE = environment.get("PRIVACY_MAILING_SERVICE")  # None while no letters are sent

# Who sends the letters, and how it is reached (plugins/newsletter/README.md). Its token is read by the commands alone;
# tables that a service may need (NEWSLETTER_LISTS, NEWSLETTER_SIGNUP_LISTS) are stated here.
NEWSLETTER_PROVIDER = environment.get("NEWSLETTER_PROVIDER") or "mailroom"
NEWSLETTER_API = environment.get("NEWSLETTER_API") or ""
NEWSLETTER_FORMER_PROVIDER = environment.get("NEWSLETTER_FORMER_PROVIDER") or ""
NEWSLETTER_FORMER_API = environment.get("NEWSLETTER_FORMER_API") or ""
# Whether `./blog publish` also starts what it has handed in: "yes" or "no"; anything else is refused.
send = environment.get("NEWSLETTER_SEND") or "no"
NEWSLETTER_SEND = {"yes": True, "no": False}.get(send, send)

NEWSLETTER_CAMPAIGNS = "var/campaigns"

# Where letters are asked for: "/mail/subscribe" when the mailroom runs behind this site's server, an address of another
# service, None while there is none. "elsewhere" is for mirrors and copies on a disk: they carry no form, and say where
# the real one is.
NEWSLETTER_SIGNUP = environment.get("NEWSLETTER_SIGNUP") or None
NEWSLETTER_SIGNUP_COMPANY = environment.get("NEWSLETTER_SIGNUP_COMPANY") or ""
# A browser that is sent on by the service looks at the host alone, so the form's own address is enough.
POLICY_FORM_ACTIONS = (NEWSLETTER_SIGNUP.partition("?")[0],) if NEWSLETTER_SIGNUP not in (None, "elsewhere") else ()
