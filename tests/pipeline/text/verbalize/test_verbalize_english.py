"""English as it is said. Every row is a form that the data sets contain and a person reads aloud."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.text.verbalize import unspeakable, verbalize
from tests.tables import each_row

ROWS = [
    # numbers
    ("I have 3 cats.", "I have three cats."),
    ("1,000,000 people", "One million people"),
    ("1,234 votes", "One thousand two hundred and thirty four votes"),
    ("1,234.56 meters", "One thousand two hundred and thirty four point five six meters"),
    ("1000 ways", "One thousand ways"),
    ("It is 3.14.", "It is three point one four."),
    ("0.5 or 0", "Zero point five or zero"),
    ("the 1st, 2nd, 3rd and 21st", "The first, second, third and twenty first"),
    ("1/2 cup and 3/4 cup", "One half cup and three quarters cup"),
    ("½ cup", "One half cup"),
    ("2, 4, 6, 8", "Two, four, six, eight"),
    ("-5 degrees", "Negative five degrees"),
    ("10k steps", "Ten thousand steps"),
    ("4K video", "Four K video"),
    # years and dates
    ("In 1999 and 2024.", "In nineteen ninety nine and twenty twenty four."),
    ("the 1990s", "The nineteen nineties"),
    ("the '80s", "The eighties"),
    ("1939-1945", "Nineteen thirty nine to nineteen forty five"),
    ("on June 18, 1815", "On the eighteenth of June, eighteen fifteen"),
    ("on 2023-01-05", "On the fifth of January twenty twenty three"),
    ("5 March 2020", "The fifth of March twenty twenty"),
    # time
    ("at 3:30 pm", "At three thirty PM"),
    ("at 10:00", "At ten o'clock"),
    ("9 a.m. to 5 p.m.", "Nine AM to five PM."),
    ("open 24/7", "Open twenty four seven"),
    # ranges
    ("ages 10-15", "Ages ten to fifteen"),
    ("3 - 5 days", "Three to five days"),
    ("10–15 people", "Ten to fifteen people"),
    ("5-10%", "Five to ten percent"),
    ("$1,000-$2,000", "One thousand dollars to two thousand dollars"),
    ("a 5-year plan", "A five-year plan"),
    # money and percentages
    ("$5", "Five dollars"),
    ("$1", "One dollar"),
    ("$5.99", "Five dollars and ninety nine cents"),
    ("$1.2 million", "One point two million dollars"),
    ("$10K", "Ten thousand dollars"),
    ("$1000", "One thousand dollars"),
    ("$12, $14 and $27", "Twelve dollars, fourteen dollars and twenty seven dollars"),
    ("€20 and £30.50", "Twenty euros and thirty pounds and fifty pence"),
    ("50¢", "Fifty cents"),
    ("50% off", "Fifty percent off"),
    ("10.5%", "Ten point five percent"),
    # units
    ("5 km and 10 kg", "Five kilometers and ten kilograms"),
    ("100m", "One hundred meters"),
    ("20°C", "Twenty degrees Celsius"),
    ("68 °F", "Sixty eight degrees Fahrenheit"),
    ("60 km/h", "Sixty kilometers per hour"),
    ("5'6\"", "Five feet six inches"),
    ("2 tbsp", "Two tablespoons"),
    ("1 tsp", "One teaspoon"),
    ("10 m²", "Ten square meters"),
    # arithmetic and symbols
    ("2 + 2 = 4", "Two plus two equals four"),
    ("9 - 2 x 3", "Nine minus two times three"),
    ("10 × 3", "Ten times three"),
    ("10 ÷ 2", "Ten divided by two"),
    ("x^2", "X squared"),
    ("AT&T and R&B", "AT and T and R and B"),
    ("salt & pepper", "Salt and pepper"),
    ("A/B testing", "A B testing"),
    ("and/or", "And or"),
    ("he/she", "He or she"),
    ("#1 on the list", "Number one on the list"),
    ("~20 people", "About twenty people"),
    ("C++ or C#", "C plus plus or C sharp"),
    ("write to anna@example.com", "Write to anna at example dot com"),
    # names and abbreviations
    ("Dr. Smith and Mr. Jones", "Doctor Smith and Mister Jones"),
    ("Mrs. Lee vs. Prof. Wu", "Missus Lee versus Professor Wu"),
    ("fruit, e.g. apples", "Fruit, for example, apples"),
    ("pets, i.e. cats", "Pets, that is, cats"),
    ("cats, dogs, etc.", "Cats, dogs, and so on."),
    ("No. 5", "Number five"),
    ("St. Louis", "Saint Louis"),
    ("Henry VIII", "Henry the eighth"),
    ("Chapter IV", "Chapter four"),
    ("World War II", "World War two"),
    ("a Ph.D. student", "A PhD student"),
    ("in the U.S. today", "In the US today"),
    ("3D printing", "Three D printing"),
    ("COVID-19", "COVID-nineteen"),
    ("H2O", "H two O"),
    ("Call 555-1234.", "Call five five five, one two three four."),
    ("(555) 123-4567", "Five five five, one two three, four five six seven"),
    # punctuation and letters
    ('She said "yes".', "She said yes."),
    ("“The sky is blue.” is true", "The sky is blue is true"),
    ("the word 'cat' and the dogs' owner", "The word cat and the dogs' owner"),
    ("don't, it's, we'll", "Don't, it's, we'll"),
    ("Here: now; then (perhaps)", "Here, now, then, perhaps"),
    ("one — two -- three", "One, two, three"),
    ("wait… what?!", "Wait. What?"),
    ("They include: cats", "They include cats"),
    ("the café naïve Straße", "The cafe naive Strasse"),
    ("Pandas are ____ animals.", "Pandas are blank animals."),
    ("[1, 5, 10]", "One, five, ten"),
    ("iPhone users", "iPhone users"),
]


@each_row(("written", "spoken"), ROWS)
def test_english(written: str, spoken: str) -> None:
    assert verbalize(written, "en") == spoken
    assert unspeakable(spoken, "en") == []


@pytest.mark.parametrize("text", ["Smile 😀", "Привет", "你好", "a → b", "5 <unknown> \\frac"])
def test_unspeakable_characters_stay_in_the_text(text: str) -> None:
    assert unspeakable(verbalize(text, "en"), "en")


@each_row("spoken", [spoken for _, spoken in ROWS])
def test_verbalizing_twice_changes_nothing(spoken: str) -> None:
    assert verbalize(spoken, "en") == spoken


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_any_text_gives_one_line_without_outer_blanks(text: str) -> None:
    spoken = verbalize(text, "en")
    assert spoken == spoken.strip()
    assert "\n" not in spoken


def test_an_unknown_language_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="language"):
        verbalize("a", "fr")
