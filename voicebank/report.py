"""The report of a bank of virtual voices: one HTML file that needs nothing beside it and runs nothing.

Every text goes through `html.escape`; the plots are PNGs inside the page, and its own policy forbids scripts.
"""

import base64
import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from manifests.storage import Place
from voicebank.blend_card import Key, different_speakers
from voicebank.leak import nearest_other
from voicebank.plots import bucket_plot, check_plotting, count_plot, map_plot, similarity_plot
from voicebank.selection import Drop
from voicebank.speaker_table import SpeakerTable

if TYPE_CHECKING:
    from voicebank.blend import BlendSimilarities

__all__ = ["check_plotting", "page", "picture", "table", "write_report"]

_MOST_SPEAKERS = 4000
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:left}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}img{max-width:100%}"
)


def write_report(
    file: Place,
    card: Mapping[str, Any],
    leak: Mapping[str, Any],
    crowd: SpeakerTable,
    counts: Counter[Key],
    record: "BlendSimilarities",
) -> None:
    """Write the page. `crowd` are the real speakers, `counts` and `record` what the blender noted of the voices."""
    step = -(-len(crowd) // _MOST_SPEAKERS)
    similarities = {
        "voice: its nearest real speaker": np.concatenate(record.to_real),
        "real speaker: the nearest other": nearest_other(crowd.xvectors),
        "two speakers of one gender": different_speakers(crowd),
    }
    places = map_plot(crowd.xvectors[::step], crowd.genders[::step], np.concatenate(record.shown))
    parts = [
        "<h2>What was made</h2>",
        table(("", ""), _facts(card)),
        "<h2>Leak test</h2>",
        f"<p>Each voice is held against all {leak['real_speakers']:,} real speakers, not its parents alone. "
        f"{leak['drawn']:,} were drawn:</p>",
        table(("outcome", "voices", "meaning"), _outcomes(leak)),
        table(("similarity", *_names(leak)), _quantile_rows(leak)),
        picture(similarity_plot(similarities, leak["limits"]["leak"]), "similarities to real speakers"),
        "<h2>Balance</h2>",
        picture(count_plot(counts), "voices by language and gender"),
        picture(bucket_plot(counts), "voices by speaking rate and gender"),
        "<h2>Where the voices lie</h2>",
        picture(places, "x-vectors on two principal axes"),
    ]
    file.write_text(page(str(card["name"]), str(card["description"]), parts))


def page(title: str, subtitle: str, parts: Iterable[str]) -> str:
    """A whole page; `parts` are HTML already."""
    name = html.escape(title)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{name}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{name}</h1><p>{html.escape(subtitle)}</p>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table; numbers are set right. Texts are escaped."""
    lines = [f"<tr>{''.join(f'<th>{html.escape(name)}</th>' for name in head)}</tr>"] if any(head) else []
    lines += [f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def picture(png: bytes, about: str) -> str:
    data = base64.b64encode(png).decode("ascii")
    return f'<p><img alt="{html.escape(about)}" src="data:image/png;base64,{data}"></p>'


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f'<td class="n">{value:.4f}</td>'
    if isinstance(value, int):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{html.escape(str(value))}</td>"


def _facts(card: Mapping[str, Any]) -> list[tuple[str, object]]:
    low, high = card["weights"]
    return [
        ("users", card["counts"]["users"]),
        ("agents", card["counts"]["agents"]),
        ("blended from", f"{card['parents']['name']}, {card['parents']['speakers']:,} speakers"),
        ("speakers' digest", card["parents"]["digest"]),
        ("parents of a voice", card["parents_per_voice"]),
        ("weights", f"{low:g} to {high:g}"),
        ("seed", card["seed"]),
        ("engine", card["engine"]),
        ("speaker encoder", _encoder(card["encoder"] or {})),
        ("limits", f"leak {card['limits']['leak']:g}, twin {card['limits']['twin']:g}"),
        ("licenses", ", ".join(sorted({str(s.get("license")) for s in card["sources"]})) or "not named"),
    ]


def _encoder(encoder: Mapping[str, Any]) -> str:
    return " ".join(str(encoder[key]) for key in ("engine", "label") if encoder.get(key)) or "not named"


def _outcomes(leak: Mapping[str, Any]) -> list[tuple[object, ...]]:
    dropped = [(drop.value, leak["dropped"][drop.value], drop.meaning) for drop in Drop]
    return [("kept", leak["kept"], "none of the below"), *dropped]


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


def _names(leak: Mapping[str, Any]) -> list[str]:
    return list(leak["nearest_real"])
