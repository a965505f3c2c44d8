"""A site laid out in Pelican's own manner, with a bit of everything its documentation offers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.multilingual.sites import ROOT, Site

#: What somebody has in a `pelicanconf.py` of years ago; nothing of it is ours.
SETTINGS: dict[str, Any] = {
    "SITENAME": "Kitchen Notes",
    "SITESUBTITLE": "Cooking & writing",
    "SITEURL": "https://kitchen.example",
    "AUTHOR": "Nora Berg",
    "TIMEZONE": "Europe/Paris",
    "LOCALE": "C",
    "DEFAULT_LANG": "en",
    "PATH": "content",
    "OUTPUT_PATH": "output",
    "THEME": "simple",
    "RELATIVE_URLS": True,
    "PLUGINS": [],
    "PLUGIN_PATHS": [str(ROOT / "plugins"), "."],
    "DEFAULT_DATE": (2026, 1, 1, 8, 0, 0),
    "DEFAULT_METADATA": {"mood": "calm"},
    "DEFAULT_PAGINATION": 3,
    "REVERSE_CATEGORY_ORDER": True,
    "STATIC_PATHS": ["pictures", "extra/robots.txt"],
    "EXTRA_PATH_METADATA": {"extra/robots.txt": {"path": "robots.txt"}},
    "FILENAME_METADATA": r"(?P<date>\d{4}-\d{2}-\d{2})_(?P<slug>.*)",
    "TEMPLATE_PAGES": {"extra/colophon.html": "colophon.html"},
    "READERS": {"html": None},
    "PYGMENTS_RST_OPTIONS": {"linenos": "table"},
    "YEAR_ARCHIVE_SAVE_AS": "posts/{date:%Y}/index.html",
    "MONTH_ARCHIVE_SAVE_AS": "posts/{date:%Y}/{date:%b}/index.html",
    "FEED_ALL_RSS": "feeds/all.rss.xml",
    "CATEGORY_FEED_RSS": "feeds/{slug}.rss.xml",
    "TAG_FEED_ATOM": "feeds/tag-{slug}.atom.xml",
    "LINKS": [("A friend", "https://friend.example/")],
    "SOCIAL": [("mail", "mailto:nora@kitchen.example")],
    "OUTPUT_SOURCES": True,
}
FILES: dict[str, str] = {
    "bread.rst": (
        "Bread\n=====\n\n:date: 2026-02-01 10:00\n:tags: flour, oven\n:category: Baking\n:slug: bread\n"
        ":summary: Flour, water, see `soup <{filename}soup.md>`_.\n\n"
        "Knead it. Also `soup <{filename}soup.md#salt>`__ and `a picture <{static}/pictures/bread.svg>`__.\n\n"
        ".. code-block:: python\n\n   print('bread')\n"
    ),
    "bread-fr.rst": (
        "Pain\n====\n\n:lang: fr\n:slug: bread\n:date: 2026-02-01 10:00\n:tags: farine\n:category: Baking\n\nPétrir.\n"
    ),
    "soup.md": (
        "Title: Soup\nDate: 2026-01-20\nTags: oven, winter\nAuthors: Nora Berg, Ali Reza\nModified: 2026-01-25\n\n"
        "<a id='salt'></a>Boil it, with [bread]({filename}bread.rst).\n"
    ),
    "soupe.md": (
        "Title: Soupe\nLang: fr\nSlug: soup\nDate: 2026-01-20\n\nBouillir, avec [du pain]({filename}bread.rst).\n"
    ),
    "Travel/2025-12-24_market.md": "Title: Market\n\nDated by its name.\n",
    "Travel/undated.md": "Title: Undated\n\nDated by the default.\n",
    "Travel/naples.md": (
        "Title: Naples\nDate: 2025-11-11\nUrl: special/naples/\nSave_as: special/naples/index.html\n\nPizza.\n"
    ),
    "draft.md": "Title: Half\nStatus: draft\n\nHalf a thought.\n",
    "hidden.md": "Title: Quiet\nStatus: hidden\nDate: 2026-01-02\n\nOnly by its address.\n",
    "pages/about.rst": "About\n#####\n\n:slug: about\n\nWho cooks.\n",
    "pages/a-propos.rst": "À propos\n########\n\n:slug: about\n:lang: fr\n\nQui cuisine.\n",
    "pages/secret.md": "Title: Secret\nStatus: hidden\n\nA hidden page.\n",
    "extra/robots.txt": "User-agent: *\n",
    "extra/colophon.html": "{{ SITENAME }} has {{ articles|length }} articles.\n",
    "pictures/bread.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>\n",
}


def make_foreign_site(folder: Path, **settings: Any) -> Site:
    """Make the site; `settings` are added to its own."""
    site = Site(folder)
    for path, text in FILES.items():
        site.write(path, text)
    site.configuration = {}
    site.settings(**SETTINGS | settings)
    return site


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
