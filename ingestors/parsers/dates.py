"""The dates that feeds carry, in the forms that nearly all of them use."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
# Of other languages those that can mean one month only.
_MONTHS |= {
    "gen": 1,
    "ene": 1,
    "fev": 2,
    "abr": 4,
    "avr": 4,
    "mag": 5,
    "mai": 5,
    "giu": 6,
    "lug": 7,
    "ago": 8,
}
_MONTHS |= {"set": 9, "ott": 10, "okt": 10, "out": 10, "dic": 12, "dez": 12}
_ZONES = {
    **{"": 0, "z": 0, "ut": 0, "utc": 0, "gmt": 0},
    **{"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7},
}
_INTERNET = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(\d{1,2})\s+([A-Za-z]{3,9})\s+(\d{4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?"
    r"\s*(?:([+-]\d{2}):?(\d{2})|([A-Za-z]{0,3}))"
)
_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d{2}:?\d{2})?)?"
)


def read_date(text: str) -> int | None:
    """Seconds since 1970 of a date as in RFC 822 or ISO 8601; None if it is in no form that is certain.

    A date without a zone is taken for UTC, as every feed parser does.
    """
    text = text.strip()
    try:
        if found := _INTERNET.fullmatch(text):
            return _internet(*found.groups())
        if _ISO.fullmatch(text):
            moment = datetime.fromisoformat(text.upper())
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, KeyError, OverflowError):  # the 31st of February, an unknown month, the year 1
        pass
    return None


def _internet(
    day: str,
    month: str,
    year: str,
    hour: str,
    minute: str,
    second: str | None,
    hours: str | None,
    minutes: str | None,
    zone: str | None,
) -> int:
    moment = datetime(
        int(year),
        _MONTHS[month[:3].lower()],
        int(day),
        int(hour),
        int(minute),
        int(second or 0),
        tzinfo=UTC,
    )
    if hours is None:
        offset = 3600 * _ZONES[(zone or "").lower()]
    else:
        offset = 3600 * int(hours) + 60 * int(f"{hours[0]}{minutes}")
    return int(moment.timestamp()) - offset
