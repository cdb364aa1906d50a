"""Phone numbers of several countries in the spellings of people, spreadsheets and messengers."""

from __future__ import annotations

from hypothesis import strategies as st

NUMBERS = [
    ("RU", "7", "9260000001", "8"),
    ("RU", "7", "4951234567", "8"),
    ("RU", "7", "8632345678", "8"),
    ("KZ", "7", "7011234567", "8"),
    ("AT", "43", "6641234567", "0"),
    ("DE", "49", "30123456", "0"),
    ("US", "1", "2015550123", "1"),
    ("IT", "39", "0612345678", ""),
]
"""(region, country code, national number, national prefix)."""
GAPS = [
    "", "", "", " ", "-", ".", "/", " - ", "\u00a0", "\u2009", "\u2010", "\u2011", "\u2013", "\u2212",
    "\u200e", "\u200b", "\u2060", "\u00ad", "\ufeff", "\u202a", "\uff0e", "\u00b7", "~", "  ", ") ", " (",
]  # fmt: skip
_DIGITS = ["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"]


SIP_NUMBERS = st.from_regex(r"[a-w]{2,5}[0-9]{1,4}(@[a-z]{1,6}\.(ru|example\.com))?", fullmatch=True)
"""SIP numbers in lower case, such as ``sip25@x.ru``."""


PHONES_AS_SIP = st.sampled_from(
    [
        "79260000001@x.ru",
        "89260000001@X.ru",
        "9260000001@192.168.0.7",
        "8-926-000-00-01@x.ru",
        "8_926_000_00_01@x.ru",
        "sip79260000001@x.ru",
        "79260000001#5@x.ru",
    ]
)
"""SIP numbers that contain the phone number 79260000001."""


@st.composite
def in_any_case(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """Draw a text, some of whose letters are capitals."""
    text = draw(texts)
    capitals = draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    return "".join(c.upper() if is_capital else c for c, is_capital in zip(text, capitals, strict=True))


@st.composite
def spelled(draw: st.DrawFn, numbers: list[tuple[str, str, str, str]]) -> tuple[str, str, str]:
    """Draw (text, region, number): a spelling of a number, and the number as E.164 digits."""
    region, code, national, prefix = draw(st.sampled_from(numbers))
    lead = draw(st.sampled_from([f"+{code}", f"＋{code}", code, prefix, ""]))
    gaps = st.lists(st.sampled_from(GAPS), min_size=len(national), max_size=len(national))
    text = lead + "".join(gap + digit for gap, digit in zip(draw(gaps), national, strict=True))
    text = text.translate(str.maketrans("0123456789", draw(st.sampled_from(_DIGITS))))
    around = st.sampled_from(["", " ", "\u200e", "\u00a0", "\t"])
    return draw(around) + draw(st.sampled_from(["", "", "'"])) + text + draw(around), region, code + national
