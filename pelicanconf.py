"""The site, as it is written: every language, drafts included.

Published with `publishconf.py`, which differs in few lines. Both write links relative to
the page, so that a mirror or a folder on a disk is as good as the site itself.
"""

SITENAME = "The Human Rights"
SITESUBTITLE = "Refuge and Protection of Human Rights Worldwide"
SITEURL = "https://thehuman-rights.com"
FEED_AUTHORITY = "thehuman-rights.com"
TIMEZONE = "UTC"
LOCALE = "C"
DEFAULT_LANG = "en"

PATH = "content"
OUTPUT_PATH = "output"
THEME = "theme"
ARTICLE_PATHS = ["articles"]
PAGE_PATHS = ["pages"]
STATIC_PATHS = ["images", "files"]
RELATIVE_URLS = True

PLUGIN_PATHS = ["plugins"]
PLUGINS = [
    "multilingual",
    "atlas",
    "pictures",
    "prose",
    "translators",
    "citations",
    "related",
    "policy",
    "contact",
    "newsletter",
]

# Languages are equals, in the order of this table. A new one with a catalogue is one line.
# EXIT_URL is where "leave this page" leads: the weather, as anybody there may look it up.
MULTILINGUAL_LANGUAGES = {
    "en": {
        "cldr": "en-GB",  # its dates are as in our texts: 9 November 2026
        "EXIT_URL": "https://www.metoffice.gov.uk/",
    },
    "ru": {
        "SITESUBTITLE": "Убежище и защита прав человека во всём мире",
        "EXIT_URL": "https://yandex.ru/pogoda/",
    },
    "uk": {
        "SITESUBTITLE": "Притулок і захист прав людини в усьому світі",
        "EXIT_URL": "https://sinoptik.ua/",
    },
    "es": {
        "SITESUBTITLE": "Refugio y protección de los derechos humanos en todo el mundo",
        "EXIT_URL": "https://www.aemet.es/",
    },
    "fr": {
        "SITESUBTITLE": "Refuge et protection des droits humains dans le monde entier",
        "EXIT_URL": "https://meteofrance.com/",
    },
    "ar": {
        "SITESUBTITLE": "اللجوء وحماية حقوق الإنسان في جميع أنحاء العالم",
        "EXIT_URL": "https://www.arabiaweather.com/",
    },
    "fa": {
        "SITESUBTITLE": "پناهندگی و حمایت از حقوق بشر در سراسر جهان",
        "EXIT_URL": "https://www.irimo.ir/",
    },
    "zh-Hans": {
        "SITESUBTITLE": "世界各地的庇护与人权保护",
        "EXIT_URL": "https://www.weather.com.cn/",
    },
}
# Whoever reads one of these reads the other more easily than English.
MULTILINGUAL_FALLBACK = {
    "uk": ["ru", "en"], "fa": ["en"], "es": ["en"], "fr": ["en"], "ar": ["en"], "zh-Hans": ["en"],
}  # fmt: skip
# What belongs to no language, such as the page on which one is chosen.
EXIT_URL = "https://www.metoffice.gov.uk/"
MULTILINGUAL_TERMS = "terms.yaml"
MULTILINGUAL_REDIRECTS = "redirects.txt"
MULTILINGUAL_TAXONOMIES = {
    "countries": {
        "url": "countries/{slug}/",
        "template": "country",
        "feed": "countries/{slug}/feed.atom",
        "index": "countries/",
        "index_template": "countries",
    },
    # Regions are listed in the directory of countries.
    "regions": {
        "url": "regions/{slug}/",
        "template": "region",
        "feed": "regions/{slug}/feed.atom",
    },
    "topics": {
        "url": "topics/{slug}/",
        "template": "topic",
        "feed": "topics/{slug}/feed.atom",
        "paginate": 20,
        "index": "topics/",
        "index_template": "topics",
    },
    "authors": {
        "url": "authors/{slug}/",
        "template": "author",
        "paginate": 20,
        "index": "authors/",
        "index_template": "authors",
    },
}

# Regions and countries with what is reported on in each (plugins/atlas/README.md).
ATLAS_FILE = "atlas.yaml"

# How to reach the practice and what it offers (plugins/contact/README.md); what is not set is not shown. The numbers
# are out of a range kept for fiction: they stand for the practice's own while one writes, publishconf.py has none.
CONTACT_EMAIL = "info@thehuman-rights.com"
CONTACT_PHONE = "+44 20 7946 0101"
CONTACT_WHATSAPP = "+44 20 7946 0102"
CONTACT_INTAKE = "/mail/form"  # the sealed form of the mailroom, which ./blog serve runs beside the pages
CONTACT_REPLY_MINUTES = None  # 60 shows "We answer within one hour": state it only if somebody keeps it
SAMPLE_REPORT = None  # "files/sample-report.pdf", in content/files
EXPERT_CV = None
MEETING_SERVICE = "Zoom"
FOLLOW_YOUTUBE = "The_Human_Rights_eng"
FOLLOW_LINKEDIN_NAME = "Maxim Kharitonov"

# What the site tells machines: everything may be read.
POLICY_ROBOTS = True
# Where forms may be sent, beside this site's own pages.
POLICY_FORM_ACTIONS = ("/mail/",)

# Campaigns are composed for what is dated this day or later. What they are called at the mailing service comes from the
# ID: chosen once and kept, whatever becomes of the site's address.
NEWSLETTER_SITE_ID = "thehuman-rights"
NEWSLETTER_SINCE = "2026-11-16"
NEWSLETTER_CAMPAIGNS = "var/preview/campaigns"

# Where letters are asked for: the mailroom, which ./blog serve runs beside the pages. None shows that there are none.
NEWSLETTER_SIGNUP = "/mail/subscribe"

# What the privacy page claims; None is not decided yet. publishconf.py takes them from who runs the server.
PRIVACY_ACCESS_LOG = None
PRIVACY_HOST = None
PRIVACY_HOST_COUNTRY = None
PRIVACY_MAILING_SERVICE = "mailroom"

# Blocks of pages have ids too, by which a translation of theirs is marked where its source has changed; only those of
# articles show their numbers.
PROSE_NUMBERED = ("article", "page")

# What a new language needs beside its texts, and in whose name `--commit` commits (plugins/translators/README.md).
TRANSLATORS_CATALOGUES = ["theme/messages", "mailroom/messages"]
TRANSLATORS_TABLES = ["terms.yaml", "atlas.yaml"]
TRANSLATORS_COMMITTER = "The Human Rights <info@thehuman-rights.com>"

CITATIONS_ORGANISATIONS = ["desk"]  # the author is an organisation, not a person
CITATIONS_ACCESS_DATES = True  # each source on the web says when it was read
RELATED_BY = ["countries", "topics"]

# Addresses, as one edition has them; the plugin puts its language in front.
INDEX_URL = ""
INDEX_SAVE_AS = "index.html"
ARTICLE_URL = "{slug}/"
ARTICLE_SAVE_AS = "{slug}/index.html"
DRAFT_URL = "drafts/{slug}/"
DRAFT_SAVE_AS = "drafts/{slug}/index.html"
PAGE_URL = "{slug}/"
PAGE_SAVE_AS = "{slug}/index.html"
DRAFT_PAGE_URL = "drafts/{slug}/"
DRAFT_PAGE_SAVE_AS = "drafts/{slug}/index.html"
ARCHIVES_URL = "archive/"
ARCHIVES_SAVE_AS = "archive/index.html"
DIRECT_TEMPLATES = ["index", "archives"]
# Topics and authors have pages of their own (MULTILINGUAL_TAXONOMIES), categories none.
TAG_SAVE_AS = CATEGORY_SAVE_AS = AUTHOR_SAVE_AS = ""
USE_FOLDER_AS_CATEGORY = False
FILENAME_METADATA = ""

DEFAULT_PAGINATION = 10
PAGINATED_TEMPLATES = {"index": None}
PAGINATION_PATTERNS = (
    (1, "{url}", "{save_as}"),
    (2, "{url}page/{number}/", "{base_name}/page/{number}/index.html"),
)

FEED_ATOM = "feed.atom"
FEED_ALL_ATOM = TRANSLATION_FEED_ATOM = CATEGORY_FEED_ATOM = None
AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = None
FEED_MAX_ITEMS = 20

# A day in the future is an embargo: until then an article is a draft.
WITH_FUTURE_DATES = False

MARKDOWN = {
    "extension_configs": {
        "markdown.extensions.extra": {},
        "markdown.extensions.footnotes": {
            # An arrow that points the same way in every direction of writing.
            "BACKLINK_TEXT": "↑",
            "BACKLINK_TITLE": "{}",
            # Numbered as they are met in the text.
            "USE_DEFINITION_ORDER": False,
        },
    },
    "output_format": "html5",
}
JINJA_ENVIRONMENT = {
    "autoescape": True,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "extensions": [],
}
