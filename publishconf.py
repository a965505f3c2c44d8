"""The site, as it is published: no draft, nothing of what was there before.

Secrets come from the environment, never from this file.
"""

import sys
from pathlib import Path

# Pelican runs a settings file as it stands; its neighbour is found through the path.
sys.path.insert(0, str(Path(__file__).parent))
from pelicanconf import *  # noqa: F403 (a settings file is all names)

MULTILINGUAL_DRAFTS = False
DELETE_OUTPUT_DIRECTORY = True

# The practice's own numbers, with their country's code; None shows none.
CONTACT_PHONE = None
CONTACT_WHATSAPP = None
