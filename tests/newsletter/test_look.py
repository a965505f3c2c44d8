"""How the repository's articles look as letters: on a telephone, and with their language's digits."""

from __future__ import annotations

import re

import pytest
from newsletter.campaigns import Campaign
from playwright.sync_api import Browser

PHONE = 360
#: By their zero, what lists are numbered with.
NUMERALS = {"0": "", "۰": "persian"}


def test_letters_fit_a_telephone(real_campaigns: list[Campaign], browser: Browser) -> None:
    page = browser.new_page(viewport={"width": PHONE, "height": 800})
    wide = {}
    for campaign in (one for one in real_campaigns if one.lang in ("en", "fa")):
        page.set_content(campaign.html)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE:
            wide[campaign.url] = width
    page.set_content(f"<p>{'x' * 200}</p>")
    assert page.evaluate("document.documentElement.scrollWidth") > PHONE, "the control"
    page.close()
    assert not wide


@pytest.mark.parametrize("lang", ["ar", "en", "fa", "zh-Hans"])
def test_sources_have_the_digits_with_which_the_text_names_them(real_campaigns: list[Campaign], lang: str) -> None:
    noted = [one for one in real_campaigns if one.lang == lang and "<ol" in one.html]
    assert noted
    for campaign in noted:
        numerals = set(re.findall("list-style-type:([a-z-]+)", campaign.html)) or {""}
        named = re.findall(r"<sup[^>]*>\[(\d+)\]", campaign.html)
        assert named
        zeros = {chr(ord(digit) - int(digit)) for number in named for digit in number}
        assert {NUMERALS[zero] for zero in zeros} == numerals, campaign.url
