"""Writes the report of a bank of virtual voices, one HTML file."""

from collections.abc import Mapping
from typing import Any

from manifests.storage import Place
from pipeline.bank.blend_plots import bucket_plot, count_plot, map_plot, similarity_plot
from pipeline.show.page import Heading, PageTable, Paragraph, Picture, page
from voicebank.blend import Blended
from voicebank.blend_card import different_speakers
from voicebank.leak import nearest_other
from voicebank.selection import Drop

REPORT_FILE = "report.html"

_MOST_SPEAKERS = 4000


def write_report(out: Place, blended: Blended) -> None:
    """Write `report.html` into the bank."""
    (out / REPORT_FILE).write_text(blend_page(blended))


def blend_page(blended: Blended) -> str:
    """Return the HTML page about the voices."""
    card, leak, counts, speakers = blended.card, blended.leak, blended.counts, blended.speakers
    step = -(-len(speakers) // _MOST_SPEAKERS)
    similarities = {
        "voice: its nearest real speaker": blended.to_real,
        "real speaker: the nearest other": nearest_other(speakers.xvectors),
        "two speakers of one gender": different_speakers(speakers),
    }
    places = map_plot(speakers.xvectors[::step], speakers.genders[::step], blended.shown)
    return page(
        str(card["name"]),
        [
            Paragraph(str(card["description"])),
            Heading("What was made"),
            PageTable((), _facts(card)),
            Heading("Leak test"),
            Paragraph(
                f"Each voice is compared with all {leak['real_speakers']:,} real speakers, not only with its parents. "
                f"{leak['drawn']:,} were drawn:"
            ),
            PageTable(("outcome", "voices", "meaning"), _outcomes(leak)),
            PageTable(("similarity", *leak["nearest_real"]), _quantile_rows(leak)),
            Picture("similarities to real speakers", similarity_plot(similarities, leak["limits"]["leak"])),
            Heading("Balance"),
            Picture("voices by language and gender", count_plot(counts)),
            Picture("voices by speaking rate and gender", bucket_plot(counts)),
            Heading("Where the voices lie"),
            Picture("x-vectors on two principal axes", places),
        ],
    )


def _facts(card: Mapping[str, Any]) -> list[tuple[str, object]]:
    low, high = card["weights"]
    return [
        ("users", card["counts"]["users"]),
        ("agents", card["counts"]["agents"]),
        ("blended from", f"{card['parents']['name']}, {card['parents']['speakers']:,} speakers"),
        ("speakers' digest", card["parents"]["digest"]),
        ("parents of a voice", card["parents_per_voice"]),
        ("weights", f"{low:g} to {high:g}"),
        ("seed", str(card["seed"])),
        ("engine", card["engine"]),
        ("speaker encoder", _encoder(card["encoder"] or {})),
        ("limits", f"leak {card['limits']['leak']:g}, twin {card['limits']['twin']:g}"),
        ("licenses", ", ".join(sorted({str(s.get("license")) for s in card["sources"]})) or "not named"),
    ]


def _encoder(encoder: Mapping[str, Any]) -> str:
    return " ".join(str(encoder[key]) for key in ("engine", "label") if encoder.get(key)) or "not named"


def _outcomes(leak: Mapping[str, Any]) -> list[tuple[object, ...]]:
    dropped = [(drop.value, leak["dropped"][drop.value], drop.meaning) for drop in Drop]
    return [("kept", leak["kept"], "none of the reasons below applies"), *dropped]


_ROWS = {
    "nearest_real": "voice to its nearest real speaker",
    "own_parents": "voice to its own parents",
    "nearest_earlier_voice": "voice to the nearest earlier voice",
}
_REFERENCE_ROWS = {
    "nearest_other_speaker": "real speaker to the nearest other",
    "different_speakers_of_one_gender": "two real speakers of one gender",
}


def _quantile_rows(leak: Mapping[str, Any]) -> list[tuple[object, ...]]:
    found = [(text, leak[key]) for key, text in _ROWS.items()]
    found += [(text, leak["reference"][key]) for key, text in _REFERENCE_ROWS.items()]
    return [(text, *values.values()) for text, values in found if values]
