"""English normalization: its forms, and what holds for every text. The pairs are in `golden/`."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.scoring import english, english_written
from pipeline.scoring.english import normalize
from tests.tables import each_row


@each_row(
    ("text", "normalized"),
    [
        ("Hello, world!", "hello world"),
        ("In 2024, 50% of 1,000 users", "in 202450 percent of 1000 users"),
        ("It costs $5.50 at 5:30 PM.", "it costs 5.50 dollars at 530 pm"),
        ("On May 5th, 2024", "on may 5 2024"),
        ("two thousand 2.5 one", "2000 2.5 1"),
        ("  Hello   world \n", "hello world"),
        ("Hello,world/there", "hello world there"),
        ("uh, um", ""),
        ("ah, er, oh", "ah er oh"),
        ("I, I... a A", "iiaa"),
        ("A. I. and a P H D", "ai and a phd"),
        ("an A T M or a T V", "an atm or a tv"),
        ("it's, been", "it has been"),
        ("I'd wanted, I'd need", "i had wanted i would need"),
        ("What'd 'em goin'", "what did them goin"),
        ("a 12 GB disc of 5 G", "a 12 gigabytes disk of 5 g"),
        ("no. 7 — no 7", "number 7 no 7"),
        ("'0a and '90s", "0 a and 90s"),
        ("part ii, the part I, Malcolm X, Chapter. IX", "part 2 the part i malcolm x chapter 9"),
        ("...", ""),
        ("", ""),
        ("no one, someone, the one", "no 1 someone the 1"),
    ],
)
def test_form(text: str, normalized: str) -> None:
    assert normalize(text) == normalized


@each_row(
    "text",
    [
        "5:30 dollars ten second may",
        "double ! 1",
        "double. oh",
        "per uh, cent",
        "double , , 5:00",
        "July 4th 1990s",
        "a. hundred",
        "h m",
        "10 m's",
    ],
)
def test_crafted_text_is_stable(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


# Words around which rules meet.
_NUMBERS = (
    "one two five ten twelve twenty ninety hundred thousand million oh o double first second third thirds fourths "
    "nineties percent 's x g km pm m uh 5 10 05 100 1990s 3.14 2.5 5.50 $5 $0.01 us$5 1/2 5:30 5:00 -3 1,234 21st # & "
    "% ° °c 20 2024 per cent 4th half's don't n't 'n't i'd h ii iv dec. mm cs , . ! - no. ' … “so” café 你好"
).split(" ")
_WORDS = (
    "and a half of may to between chapter henry square negative dollars dollar cents point is been gone it it's "
    "what's y'all july the quarter had i by from dec feet us world war colour organize e-mail house, cat. hums setup "
    "into millimeter mile an power fig Fig. Elm Oak Charles type act scene website people canadian dot fifth February"
).split()
_WRITTEN = (
    "x² 10⁵ 10^-3 m2 80m² 5km/h 5*3 22/7 120/80 24/7 2018/19 <5 >= ~50 ≠ ₩100 C$50 CHF 20€ 10K 2M 1.2B 50Mb 3MB/s "
    '10-15-20 192.168.0.1 v2.0 1,5 27" 5\'11" 42nd St. Dr. A- WWII II IV V mg/kg'
).split()
_DENSE = st.lists(st.sampled_from(_NUMBERS + _WORDS + _WRITTEN), max_size=9).map(" ".join)
_SPARSE = st.lists(
    st.one_of(st.sampled_from(_WORDS), st.sampled_from(_WORDS), st.sampled_from(_WORDS + _NUMBERS + _WRITTEN)),
    max_size=16,
).map(" ".join)


@given(st.one_of(_DENSE, _SPARSE))
def test_normalized_text_is_stable(text: str) -> None:
    once = normalize(text)
    assert normalize(once) == once


@given(st.one_of(_DENSE, _SPARSE))
def test_reading_only_what_belongs_together_is_reading_all(text: str) -> None:
    everything = english._read(english_written.rewrite(english._fold(text)))
    assert normalize(text) == english._settled(everything)
