"""The numbers about a corpus (`manifests.stats`) as text for people."""

from collections.abc import Mapping
from typing import Any

from manifests.manifest import FINAL_STATUSES
from manifests.terminal import printable
from pipeline.show.text import text_table


def format_stats(numbers: Mapping[str, Any]) -> str:
    """Return the result of `manifests.stats.stats` as lines, without a final line break."""
    share = "-" if numbers["yield"] is None else f"{numbers['yield']:.1%}"
    blocks = [
        [f"recipe {numbers['recipe']}: {numbers['rows']['input']:,} rows, {share} kept"],
        _statuses(numbers),
        text_table(("", ""), [(f"{rows:,}", reason) for reason, rows in numbers["reasons"].items()], right={0}),
        *(_rates(f"error rate of {status} rows", found) for status, found in numbers["error_rate"].items()),
        *(_qualities(f"quality of {status} turns", found) for status, found in numbers["quality"].items()),
        _takes(numbers),
    ]
    return "\n\n".join("\n".join(map(printable, block)) for block in blocks if block)


def _statuses(numbers: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            status,
            f"{numbers['rows'][status]:,}",
            f"{numbers['turns'][status]:,}",
            f"{numbers['audio_h'][status]:,.2f}",
        )
        for status in FINAL_STATUSES
    ]
    return text_table(("status", "rows", "turns", "audio h"), rows, right={1, 2, 3})


def _rates(title: str, languages: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return _quantiles(title, "rows", languages, "{:.2%}")


def _qualities(title: str, languages: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return _quantiles(title, "turns", languages, "{:.3f}")


def _quantiles(title: str, counted: str, languages: Mapping[str, Mapping[str, Any]], form: str) -> list[str]:
    """Return a table of how many there are, the mean and the quantiles, by language and measure; or nothing."""
    found = [(f"{language} {name}", one) for language, of in languages.items() for name, one in of.items()]
    if not found:
        return []
    names = [title, counted, "mean", *(f"{float(q):.0%}" for q in found[0][1]["quantiles"])]
    rows = [
        [name, f"{one[counted]:,}", *(form.format(value) for value in (one["mean"], *one["quantiles"].values()))]
        for name, one in found
    ]
    return text_table(names, rows, right=range(1, len(names)))


def _takes(numbers: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{status} turns by takes: {', '.join(f'{number}: {turns:,}' for number, turns in takes.items()) or 'none'}"
        for status, takes in numbers["attempts"].items()
    ]
    lines += [
        f"second opinions on {status} {language} takes: recognizer wrong {found['recognizer_wrong']:,}, "
        f"voice wrong {found['voice_wrong']:,}"
        for status, languages in numbers["second_opinions"].items()
        for language, found in languages.items()
    ]
    lines += [
        f"two recognizers on {found['takes']:,} {status} {language} takes: the same words in {found['same_words']:,}; "
        f"good for both {found['both_good']:,}, for the first only {found['first_good']:,}, for the second only "
        f"{found['second_good']:,}, for neither {found['none_good']:,}"
        for status, languages in numbers["agreement"].items()
        for language, found in languages.items()
    ]
    voices = ", ".join(f"{number:,} {side}" for side, number in numbers["voices"].items())
    return [*lines, f"voices of kept rows: {voices}"]
