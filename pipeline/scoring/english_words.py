"""Tables of English words for scoring: contractions, fillers, the words before a Roman numeral."""

# Whisper was trained on transcripts without these, and never prints them. "ah", "oh", "eh" are words that it prints;
# "er" is also the ER.
FILLERS = frozenset({"uhm", "erm", "mhm"}).union(
    stem + stem[-1] * more for stem in ("uh", "um", "hm", "mm") for more in range(6)
)

STEMS_OF_IS = frozenset(
    "he she it that what who where when how there here why everything everyone everybody someone somebody something "
    "nobody nothing anybody anyone".split()
)
CONTRACTIONS: dict[str, str] = {
    "let's": "let us",
    "won't": "will not",
    "can't": "can not",
    "shan't": "shall not",
    "ain't": "aint",
    "y'all": "you all",
    "y'know": "you know",
    "d'you": "do you",
    "c'mon": "come on",
    "o'clock": "oclock",
    "ma'am": "madam",
    "'em": "them",
    "'n": "and",
    "'til": "until",
    "'cause": "because",
    "'bout": "about",
    "'twas": "it was",
    "'tis": "it is",
}
CONTRACTED_ENDINGS = {"re": "are", "ve": "have", "ll": "will", "d": "would", "m": "am"}
# Before these, "it's" and "I'd" stand for "it has" and "I had".
HAS_BEFORE = frozenset({"been", "got", "had", "become", "happened"})
HAD_BEFORE = frozenset(
    "better been rather gone seen done taken known given forgotten written eaten broken chosen spoken begun grown "
    "shown driven fallen flown had made heard told left lost found bought brought thought felt kept met said paid "
    "sent spent built".split()
)
# These end like a past tense but are none.
NOT_PAST = frozenset("exceed succeed proceed indeed embed speed breed bleed".split())
# "how'd you" is "how did you", while "who'd go" is "who would go".
DID_BEFORE = frozenset({"how", "why", "where", "when", "what"})

# Two or more of the letters i, v and x after these are a numeral.
MONARCHS = frozenset(
    "alexander benedict boniface carlos catherine charles christian clement constantine conrad darius "
    "edward elizabeth felipe ferdinand francis frederick friedrich george gregory gustav henri henry "
    "innocent isabella ivan james john leo leopold louis mehmed napoleon nicholas otto paul peter philip "
    "pius ptolemy rameses ramses richard robert rudolf selim seti stephen thutmose umberto urban wilhelm "
    "william xerxes".split()
)
BEFORE_ROMAN = MONARCHS | frozenset(
    "act apollo appendix article auto book bowl category chapter class cobalt copper episode fantasy "
    "figure grade group iron lead level manganese mark nickel part phase rocky scene season section stage "
    "table tier tin title type volume war".split()
)
# After these, v and x alone are numerals too, and i at the end or before certain nouns.
BEFORE_V = MONARCHS | frozenset(
    "act appendix article auto chapter episode fantasy gta part phase rocky scene season section stage title type "
    "volume".split()
)
BEFORE_X = BEFORE_V - MONARCHS - {"gta", "phase", "type"}
BEFORE_I = frozenset("act appendix article chapter class episode phase scene stage type volume".split())

# Initialisms that start with A: in all others "a" before a letter is the article.
STARTING_WITH_A = ("abc", "abs", "acdc", "adhd", "aka", "api", "aqi", "atm", "aws", "awol")
