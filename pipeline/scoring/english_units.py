"""Tables of English units, currencies, signs and months."""

# After a number only: singular and plural, with numbers as they are by then ("second" is 2nd).
UNITS: dict[str, tuple[str, str]] = {
    "kmh": ("kilometer per hour", "kilometers per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"),
    "mps": ("meter per 2nd", "meters per 2nd"),
    "ms": ("millisecond", "milliseconds"),
    "kbps": ("kilobit per 2nd", "kilobits per 2nd"),
    "mbps": ("megabit per 2nd", "megabits per 2nd"),
    "gbps": ("gigabit per 2nd", "gigabits per 2nd"),
    "x": ("times", "times"),
    "mi": ("mile", "miles"),
    "yd": ("yard", "yards"),
    "kcal": ("kilocalorie", "kilocalories"),
    "db": ("decibel", "decibels"),
    "v": ("volt", "volts"),
    "mph": ("mile per hour", "miles per hour"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "m": ("meter", "meters"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ft": ("foot", "feet"),
    "tsp": ("teaspoon", "teaspoons"),
    "tbsp": ("tablespoon", "tablespoons"),
    "ml": ("milliliter", "milliliters"),
    "l": ("liter", "liters"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "sec": ("2nd", "seconds"),
    "secs": ("2nd", "seconds"),
    "kb": ("kilobyte", "kilobytes"),
    "mb": ("megabyte", "megabytes"),
    "gb": ("gigabyte", "gigabytes"),
    "tb": ("terabyte", "terabytes"),
    "hz": ("hertz", "hertz"),
    "khz": ("kilohertz", "kilohertz"),
    "mhz": ("megahertz", "megahertz"),
    "ghz": ("gigahertz", "gigahertz"),
    "kwh": ("kilowatt hour", "kilowatt hours"),
    "kw": ("kilowatt", "kilowatts"),
    "w": ("watt", "watts"),
    "h": ("hour", "hours"),
    "t": ("ton", "tons"),
    "mah": ("milliamp hour", "milliamp hours"),
    "wh": ("watt hour", "watt hours"),
    "mw": ("megawatt", "megawatts"),
    "gw": ("gigawatt", "gigawatts"),
    "kv": ("kilovolt", "kilovolts"),
    "kj": ("kilojoule", "kilojoules"),
    "cal": ("calorie", "calories"),
    "psi": ("pound per square inch", "pounds per square inch"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "fps": ("frame per 2nd", "frames per 2nd"),
    "bpm": ("beat per minute", "beats per minute"),
    "kpa": ("kilopascal", "kilopascals"),
    "hpa": ("hectopascal", "hectopascals"),
    "nm": ("nanometer", "nanometers"),
    "μm": ("micrometer", "micrometers"),
    "μg": ("microgram", "micrograms"),
    "μl": ("microliter", "microliters"),
    "mcg": ("microgram", "micrograms"),
    "dl": ("deciliter", "deciliters"),
    "cl": ("centiliter", "centiliters"),
    "ha": ("hectare", "hectares"),
    "gal": ("gallon", "gallons"),
    "qt": ("quart", "quarts"),
    "ozs": ("ounce", "ounces"),
    "yds": ("yard", "yards"),
    "ω": ("ohm", "ohms"),
    "kω": ("kilo ohm", "kilo ohms"),
    "px": ("pixel", "pixels"),
    "zł": ("zloty", "zlotys"),
    "mpg": ("mile per gallon", "miles per gallon"),
    "dpi": ("dot per inch", "dots per inch"),
    "ppi": ("pixel per inch", "pixels per inch"),
    "ppm": ("part per million", "parts per million"),
    "ppb": ("part per billion", "parts per billion"),
    "mmhg": ("millimeter of mercury", "millimeters of mercury"),
    "yr": ("year", "years"),
    "yrs": ("year", "years"),
    "wk": ("week", "weeks"),
    "wks": ("week", "weeks"),
}


# Said either way for the same print: a 5 km run is a "five kilometer run", but one runs "five kilometers". Words ->
# words, and the first words of each.
UNIT_FORMS: dict[tuple[str, ...], tuple[str, ...]] = {("2nd",): ("seconds",)}
for _singular, _plural in UNITS.values():
    for _said in (_singular, _singular.replace("meter", "metre").replace("liter", "litre")):
        UNIT_FORMS[tuple(_said.split())] = tuple(_plural.split())
    if " " in _plural:  # not "kilowatts" for the first word of "kilowatt hours"
        UNIT_FORMS[tuple(_plural.split())] = tuple(_plural.split())
    if " per hour" in _plural:
        UNIT_FORMS[tuple(_plural.replace(" per ", " an ").split())] = tuple(_plural.split())
UNIT_FORMS[("inch",)] = ("inches",)
UNIT_FORMS[("degree",)] = ("degrees",)
FORM_STARTS = frozenset(words[0] for words in UNIT_FORMS)
LONGEST_FORM = max(map(len, UNIT_FORMS))

# After a slash and a number with its unit.
DENOMINATORS = {
    "kg": "kilogram", "g": "gram", "lb": "pound", "dl": "deciliter", "l": "liter", "ml": "milliliter",
    "m3": "cubic meter", "cm3": "cubic centimeter", "m2": "square meter", "cm2": "square centimeter",
    "h": "hour", "hr": "hour", "min": "minute", "s": "second", "sec": "second", "gal": "gallon",
}  # fmt: skip

# A single letter is a unit only after two digits or more, since 5G and 3D are names; 2L and 3x are not.
UNITS_AFTER_ONE_DIGIT = frozenset({"l", "x"})
# What people have so much of that a K, M or B before it is a number: "5K followers", but "a 5K race".
COUNTED = frozenset(
    "people users followers subscribers views likes downloads fans members customers employees visitors readers "
    "players copies words tokens parameters records rows items years jobs homes dollars euros pounds".split()
)

CURRENCIES: dict[str, tuple[str, str]] = {
    "$": ("dollar", "dollars"),
    "€": ("euro", "euros"),
    "£": ("pound", "pounds"),
    "¥": ("yen", "yen"),
    "₹": ("rupee", "rupees"),
    "₩": ("won", "won"),
    "₽": ("ruble", "rubles"),
    "฿": ("baht", "baht"),
    "₱": ("peso", "pesos"),
    "₪": ("shekel", "shekels"),
    "₺": ("lira", "liras"),
    "₫": ("dong", "dong"),
    "₦": ("naira", "naira"),
    "₴": ("hryvnia", "hryvnias"),
    "₿": ("bitcoin", "bitcoins"),
    # Letters before a dollar sign, and codes: the case stage puts a code before the number.
    "us$": ("us dollar", "us dollars"),
    "c$": ("canadian dollar", "canadian dollars"),
    "ca$": ("canadian dollar", "canadian dollars"),
    "a$": ("australian dollar", "australian dollars"),
    "au$": ("australian dollar", "australian dollars"),
    "hk$": ("hong kong dollar", "hong kong dollars"),
    "nz$": ("new zealand dollar", "new zealand dollars"),
    "nt$": ("new taiwan dollar", "new taiwan dollars"),
    "s$": ("singapore dollar", "singapore dollars"),
    "mx$": ("mexican peso", "mexican pesos"),
    "r$": ("real", "reais"),
}
# Written before or after the number, in capitals.
CURRENCY_CODES: dict[str, tuple[str, str]] = {
    "USD": CURRENCIES["us$"],
    "CAD": CURRENCIES["c$"],
    "AUD": CURRENCIES["a$"],
    "HKD": CURRENCIES["hk$"],
    "NZD": CURRENCIES["nz$"],
    "SGD": CURRENCIES["s$"],
    "EUR": CURRENCIES["€"],
    "GBP": CURRENCIES["£"],
    "JPY": CURRENCIES["¥"],
    "INR": CURRENCIES["₹"],
    "KRW": CURRENCIES["₩"],
    "RUB": CURRENCIES["₽"],
    "THB": CURRENCIES["฿"],
    "BRL": CURRENCIES["r$"],
    "CHF": ("swiss franc", "swiss francs"),
    "CNY": ("yuan", "yuan"),
    "RMB": ("yuan", "yuan"),
    "MXN": CURRENCIES["mx$"],
    "SEK": ("swedish krona", "swedish kronor"),
    "NOK": ("norwegian krone", "norwegian kroner"),
    "PLN": ("zloty", "zlotys"),
}
CENTS: dict[str, tuple[str, str]] = {
    "dollars": ("cent", "cents"),
    "euros": ("cent", "cents"),
    "pounds": ("penny", "pence"),
    "rupees": ("paisa", "paise"),
    "rubles": ("kopek", "kopeks"),
    "pesos": ("centavo", "centavos"),
    "francs": ("centime", "centimes"),
    "shekels": ("agora", "agorot"),
    "liras": ("kurus", "kurus"),
}
# Between a number and its currency: "five canadian dollars".
OF_COUNTRIES = frozenset(
    "us canadian australian hong kong new zealand taiwan singapore mexican swiss swedish norwegian".split()
)

SYMBOLS = {
    "¢": " cents ",
    "%": " percent ",
    "‰": " per mille ",
    "&": " and ",
    "+": " plus ",
    "±": " plus or minus ",
    "=": " equals ",
    "@": " at ",
    "×": " times ",
    "÷": " divided by ",
    "<": " less than ",
    ">": " greater than ",
}
MONTH_NAMES = "january february march april may june july august september october november december".split()
MONTHS = frozenset(MONTH_NAMES)
MONTH_ABBREVIATIONS = {name[:3]: name for name in MONTH_NAMES if name != "may"} | {"sept": "september"}
