"""Looks for personal data in texts: what libraries that know the numbers' rules call valid.

Numbers and addresses that are spoken are written in words, so each text is also read with its digits' names as digits
and "at" and "dot" as signs. Names of people and postal addresses are not looked for: no rule tells them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from manifests.languages import primary_subtag
from manifests.libraries import extra, library, library_version

PiiKind = Literal["email", "phone", "card", "iban", "us_ssn", "cn_id"]

_NEEDED_BY, _INSTALL = "corpus pii", extra("product")
_REGIONS = {"zh": "CN", "en": "US", "de": "DE", "fr": "FR", "es": "ES", "ja": "JP", "ko": "KR"}
"""The country in which a number without a country code is looked for, by language."""

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_SPOKEN_EMAIL = re.compile(r"\b([\w+-]+(?: dot [\w+-]+)*) at ([\w-]+(?: dot [\w-]+)+)\b", re.ASCII | re.IGNORECASE)
_RESERVED = re.compile(r"[@.](?:example|example\.(?:com|net|org)|test|invalid|localhost)$")
"""RFC 2606: nobody can have an address there."""
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b")
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_CHINESE_ID = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")

_DIGITS = {
    **{word: str(digit) for digit, word in enumerate("zero one two three four five six seven eight nine".split())},
    "oh": "0",
    **dict(zip("零一二三四五六七八九", "0123456789", strict=True)),
    "〇": "0",
    "幺": "1",
}
_WORD = r"zero|oh|one|two|three|four|five|six|seven|eight|nine"
_SPOKEN_DIGITS = re.compile(rf"\b(?:{_WORD})(?:[ ,-]+(?:{_WORD})){{4,}}\b", re.IGNORECASE)
_CHINESE_DIGITS = re.compile(r"[零〇一二三四五六七八九幺](?:[，、 ]?[零〇一二三四五六七八九幺]){6,}")


@dataclass(frozen=True, slots=True)
class Personal:
    """Personal data found in a text: what kind, and the data themselves."""

    kind: PiiKind
    value: str

    @property
    def masked(self) -> str:
        """Return the data with all but two characters hidden: reports travel."""
        return self.value[:2] + "*" * (len(self.value) - 2)


class PiiScanner:
    """Finds personal data, for `needed_by`. Raises EngineUnavailable where a library is missing."""

    def __init__(self, needed_by: str = _NEEDED_BY) -> None:
        self._phones: Any = library("phonenumbers", needed_by, _INSTALL)
        self._emails: Any = library("email_validator", needed_by, _INSTALL)
        self._luhn: Any = library("stdnum.luhn", needed_by, _INSTALL)
        self._iban: Any = library("stdnum.iban", needed_by, _INSTALL)
        self._ssn: Any = library("stdnum.us.ssn", needed_by, _INSTALL)
        self._chinese_id: Any = library("stdnum.cn.ric", needed_by, _INSTALL)

    def find(self, text: str, language: str) -> list[Personal]:
        """Return what is found in a text, each once, as it is written and as it is spoken."""
        found = dict.fromkeys(self._found(text, language))
        if (written := as_written(text)) != text:
            found |= dict.fromkeys(self._found(written, language))
        return list(found)

    def _found(self, text: str, language: str) -> Iterator[Personal]:
        taken: list[tuple[int, int]] = []
        checks: tuple[tuple[PiiKind, re.Pattern[str], Any], ...] = (
            ("email", _EMAIL, self._is_email),
            ("iban", _IBAN, self._iban.is_valid),
            ("cn_id", _CHINESE_ID, self._chinese_id.is_valid),
            ("us_ssn", _SSN, self._ssn.is_valid),
            ("card", _CARD, lambda number: self._luhn.is_valid(re.sub("[ -]", "", number))),
        )
        for kind, pattern, is_valid in checks:
            for match in pattern.finditer(text):
                if is_valid(match[0]):
                    taken.append(match.span())
                    yield Personal(kind, match[0])
        region = _REGIONS.get(primary_subtag(language))
        if sum(map(str.isdigit, text)) >= 7:
            for match in self._phones.PhoneNumberMatcher(text, region):
                if not any(start < match.end and match.start < end for start, end in taken):
                    yield Personal("phone", match.raw_string)

    def _is_email(self, text: str) -> bool:
        """Tell whether an address may exist: not in a domain reserved for examples. No server is asked."""
        if _RESERVED.search(text.lower()):
            return False
        try:
            self._emails.validate_email(text, check_deliverability=False)
        except self._emails.EmailNotValidError:
            return False
        return True


def scanner_version(needed_by: str) -> str:
    """Return the versions of the libraries that decide what is found; raises EngineUnavailable without one."""
    names = ("phonenumbers", "email-validator", "python-stdnum")
    return ", ".join(f"{name} {library_version(name, needed_by, _INSTALL)}" for name in names)


def as_written(text: str) -> str:
    """Return the text with runs of digits' names as digits, and spoken e-mail addresses as written ones."""
    text = _SPOKEN_DIGITS.sub(lambda m: "".join(_DIGITS[w] for w in re.findall(r"[a-z]+", m[0].lower())), text)
    text = _CHINESE_DIGITS.sub(lambda m: "".join(_DIGITS.get(character, "") for character in m[0]), text)
    return _SPOKEN_EMAIL.sub(lambda m: f"{m[1]}@{m[2]}".replace(" dot ", "."), text)
