"""What is reserved for fiction and examples, and so can be nobody's real address.

Telephone numbers: Ofcom, "Telephone numbers for drama use" (ofcom.org.uk, Numbering), also the
Northern Irish range of its earlier editions; for North America 555-0100 to 555-0199 in every area
code (Industry Numbering Committee, 555 NXX Assignment Guidelines). Domains: RFC 2606 and RFC 6761.
"""

from __future__ import annotations

import re

#: Beginnings of E.164 numbers, without the plus; a thousand numbers each.
_BRITISH = (
    *(f"44{area}4960" for area in (113, 114, 115, 116, 117, 118, 121, 131, 141, 151, 161)),
    "441914980",  # Tyneside, Durham, Sunderland
    "442079460",  # London
    "442890180",  # Northern Ireland, earlier
    "442896496",  # Northern Ireland
    "442920180",  # Cardiff
    "441632960",  # no area
    "447700900",  # mobile
    "448081570",  # freephone
    "449098790",  # premium rate
    "443069990",  # the whole country
)
_FICTION = re.compile(rf"(?:{'|'.join(_BRITISH)})[0-9]{{3}}|1[2-9][0-9]{{2}}55501[0-9]{{2}}")
_EXAMPLE = re.compile(
    r"(?:.*\.)?(?:example\.(?:com|net|org)|example|invalid|test|localhost)\.?", re.IGNORECASE | re.DOTALL
)


def is_fictional_number(digits: str) -> bool:
    """Whether an E.164 number, its plus taken away, is kept for films and documentation."""
    return _FICTION.fullmatch(digits) is not None


def is_example_domain(domain: str) -> bool:
    """Whether a domain name is kept for examples and tests."""
    return _EXAMPLE.fullmatch(domain) is not None
