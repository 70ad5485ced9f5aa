"""English normalisation: what must agree, what must not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scoring.english import normalize
from pipeline.scoring.rates import score

SAME = [
    # case, punctuation, spaces, width
    ("Hello, World!", "hello world"),
    ("  Hello   world \n", "hello world"),
    ("Ｈｅｌｌｏ　ｗｏｒｌｄ", "hello world"),
    ("“Yes” — he said… no?", "yes he said no"),
    ("well-known", "well known"),
    ("rock ’n’ roll", "rock 'n' roll"),
    ("café naïve", "cafe naive"),
    ("e-mail me over Wi-Fi", "email me over wifi"),
    # contractions, possessives
    ("I'm sure it's fine", "I am sure it is fine"),
    ("it's been a while", "it has been a while"),
    ("we can't and won't", "we cannot and will not"),
    ("they’re here, we’ve seen", "they are here we have seen"),
    ("I'd better go", "I had better go"),
    ("I'd go, she'll stay", "I would go she will stay"),
    ("let's go", "let us go"),
    ("is n't 5", "is not five"),
    ("you shouldn't've", "you should not have"),
    ("John's dog", "Johns dog"),
    ("I'm gonna", "I am going to"),
    # fillers, which recognisers leave out
    ("Um, I think, uh, yes", "I think yes"),
    ("Hmm, mhm, okay", "okay"),
    # spelling
    ("the colour of my neighbour's theatre", "the color of my neighbor's theater"),
    ("organise and analyse", "organize and analyze"),
    ("travelling, cancelled, labelled", "traveling canceled labeled"),
    ("a grey catalogue of defence", "a gray catalog of defense"),
    ("three kilometres", "three kilometers"),
    ("Mr. Smith and Dr. Jones", "mister Smith and doctor Jones"),
    ("OK", "okay"),
    # initials and spelled letters
    ("the U.S.A.", "the USA"),
    ("G P S", "GPS"),
    ("C++ and C#", "C plus plus and C sharp"),
    # per cent
    ("50%", "fifty per cent"),
    ("50 %", "fifty percent"),
    ("50％", "50 percent"),
    ("12.5%", "twelve point five percent"),
    # cardinals
    ("7", "seven"),
    ("21", "twenty-one"),
    ("105", "one hundred and five"),
    ("105", "one hundred five"),
    ("100", "a hundred"),
    ("1,234", "one thousand two hundred and thirty-four"),
    ("1,234,567", "one million two hundred thirty four thousand five hundred sixty seven"),
    ("10,000", "ten thousand"),
    ("1,306", "one thousand, three hundred and six"),
    ("66,082,199", "sixty-six million, eighty-two thousand, one hundred and ninety-nine"),
    ("in 2000, 5 people", "in two thousand, five people"),
    ("in 2000. 300 people", "in two thousand. Three hundred people"),
    ("1 million", "1,000,000"),
    ("1.5 million", "one and a half million"),
    ("2.3 billion", "two point three billion"),
    ("5 hundred", "500"),
    ("1200", "twelve hundred"),
    ("0", "zero"),
    ("-5", "minus five"),
    ("between 200 and 300", "between two hundred and three hundred"),
    ("3 thousand and 5", "3,005"),
    # decimals and fractions
    ("3.14", "three point one four"),
    ("0.05", "zero point zero five"),
    ("2.5", "two and a half"),
    ("2½ cups", "two and a half cups"),
    ("1/2", "one half"),
    ("3/4", "three quarters"),
    ("2/3", "two thirds"),
    ("1/4", "one fourth"),
    ("Python 3.11", "python three point eleven"),
    # ordinals
    ("1st", "first"),
    ("21st century", "twenty-first century"),
    ("the 100th", "the hundredth"),
    ("the 100th", "the one hundredth"),
    ("112th", "one hundred and twelfth"),
    ("a 20-second clip", "a twenty-second clip"),
    # digits read one by one, or in groups
    ("call 911", "call nine one one"),
    ("555-1234", "five five five one two three four"),
    ("(212) 555-1234", "two one two, five five five, one two three four"),
    ("room 404", "room four oh four"),
    ("a Boeing 747", "a Boeing seven forty-seven"),
    ("agent 007", "agent double oh seven"),
    ("24/7", "twenty-four seven"),
    # years, dates
    ("2024", "twenty twenty-four"),
    ("2024", "two thousand and twenty-four"),
    ("in 1999", "in nineteen ninety-nine"),
    ("in 1905", "in nineteen oh five"),
    ("in 1900", "in nineteen hundred"),
    ("the 1990s", "the nineteen nineties"),
    ("the '90s", "the nineties"),
    ("May 5, 2024", "May fifth, twenty twenty-four"),
    ("May 5th", "May 5"),
    ("the 4th of July", "the fourth of July"),
    ("2024-05-03", "May third, two thousand twenty-four"),
    ("12/25/2023", "December twenty-fifth, twenty twenty-three"),
    ("born in 1990. 5 years later", "born in nineteen ninety. Five years later"),
    # times
    ("5:30 PM", "five thirty p.m."),
    ("at 5:05", "at five oh five"),
    ("at 12:15", "at twelve fifteen"),
    ("5:00 am", "five a m"),
    ("at 5:00", "at five o'clock"),
    # money
    ("$5", "five dollars"),
    ("$1", "one dollar"),
    ("$5.50", "five dollars and fifty cents"),
    ("$5.50", "five dollars fifty"),
    ("$0.99", "ninety-nine cents"),
    ("$1.5 million", "one point five million dollars"),
    ("€20", "twenty euros"),
    ("£3.20", "three pounds and twenty pence"),
    ("$1,250.75", "one thousand two hundred fifty dollars and seventy-five cents"),
    # ranges, ratios, arithmetic
    ("5-10 minutes", "five to ten minutes"),
    ("1990–2000", "nineteen ninety to two thousand"),
    ("a ratio of 3:1", "a ratio of three to one"),
    ("2 + 2 = 4", "two plus two equals four"),
    ("6 × 7", "six times seven"),
    # units and symbols
    ("5 km", "five kilometers"),
    ("1 kg", "one kilogram"),
    ("80 km/h", "eighty kilometres per hour"),
    ("10 m/s", "ten meters per second"),
    ("1 sec", "one second"),
    ("3.2 mm", "three point two millimeters"),
    ("2 tbsp honey", "two tablespoons honey"),
    ("a 2x2 matrix", "a two times two matrix"),
    ("World War I", "World War One"),
    ("World War II", "World War Two"),
    ("from -1 to 1", "from negative one to one"),
    ("25.09", "twenty-five point oh nine"),
    ("the 1800s", "the eighteen hundreds"),
    ("60mph", "sixty miles per hour"),
    ("20°C", "twenty degrees Celsius"),
    ("a 16GB stick", "a sixteen gigabytes stick"),
    ("200g flour", "two hundred grams flour"),
    ("salt & pepper", "salt and pepper"),
    ("#5", "number five"),
    ("the 5G network", "the five G network"),
    ("GPT-4", "GPT four"),
    ("MP3", "MP three"),
    ("COVID-19", "Covid nineteen"),
]

DIFFERENT = [
    ("fifteen", "fifty"),
    ("thirteen", "30"),
    ("24", "25"),
    ("2024", "twenty twenty-five"),
    ("one hundred", "one thousand"),
    ("1,000", "1.000"),
    ("5.50", "550"),
    ("$5.50", "$550"),
    ("$5", "five euros"),
    ("$5.50", "five dollars and fifteen cents"),
    ("5:30", "5:13"),
    ("at five", "at five o'clock"),
    ("5 am", "5 pm"),
    ("first", "one"),
    ("third", "three"),
    ("1990s", "1990"),
    ("ninety", "nineties"),
    ("50", "50 percent"),
    ("-5", "5"),
    ("5-10", "5 and 10"),
    ("1/2", "1/3"),
    ("two thirds", "two three"),
    ("twenty-four", "20, 4"),
    ("between 100 and 50", "150"),
    ("it's", "its"),
    ("can", "can't"),
    ("we are", "we were"),
    ("I would go", "I will go"),
    ("their house", "there house"),
    ("two", "too"),
    ("oh no", "zero no"),
    ("mum", "mom"),
    ("aeroplane", "airplane"),
    ("rise", "rice"),
    ("prize", "price"),
    ("size", "seize"),
    ("our", "or"),
    ("hour", "hor"),
    ("letter", "litter"),
    ("5 meters", "5 miles"),
    ("the ER", "the"),
    ("ah", ""),
    ("a", "the"),
    ("someone", "some"),
    ("point", "."),
    ("negative answers", "minus answers"),
    ("5 mm", "5"),
    ("a hundred", "hundreds"),
    ("double room", "room"),
    ("thousands of people", "a thousand of people"),
    ("60 degrees", "60 degrees Celsius"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_agree(one: str, other: str) -> None:
    assert normalize(one) == normalize(other) != ""
    assert score(one, other, "en").rate == 0


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_differ(one: str, other: str) -> None:
    assert normalize(one) != normalize(other)
    assert score(one, other, "en").rate != 0


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("Hello, world!", "hello world"),
        ("In 2024, 50% of 1,000 users", "in 202450 percent of 1000 users"),
        ("It costs $5.50 at 5:30 PM.", "it costs 5.50 dollars at 530 pm"),
        ("On May 5th, 2024", "on may 5 2024"),
        ("two thousand 2.5 one", "2000 2.5 1"),
        ("uh, um", ""),
        ("...", ""),
        ("", ""),
        ("no one, someone, the one", "no 1 someone the 1"),
    ],
)
def test_form(text: str, normalized: str) -> None:
    assert normalize(text) == normalized


@pytest.mark.parametrize(
    "text",
    ["double ! 1", "double. oh", "per uh, cent", "double , , 5:00", "July 4th 1990s", "a. hundred", "h m", "10 m's"],
)
def test_crafted_text_is_stable(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


# Words around which rules meet.
_WORDS = st.sampled_from(
    (
        "one two five ten twelve twenty ninety hundred thousand million and a point half oh o double first second "
        "third thirds fourths nineties percent dollars dollar cents may july of the i'd it's been o'clock 's x g km "
        "pm m uh 5 10 05 100 1990s 3.14 2.5 5.50 $5 $0.01 1/2 5:30 5:00 -3 1,234 21st # & % ° °c 20 2024 per cent "
        "e-mail colour organize , . ! - no. ' 4th half's don't n't 'n't y'all"
    ).split(" ")
)


@given(st.lists(_WORDS, max_size=8).map(" ".join))
def test_normalized_text_is_stable(text: str) -> None:
    once = normalize(text)
    assert normalize(once) == once
