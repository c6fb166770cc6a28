"""Text that venues, files and people get wrong: numbers and times, the same every run."""

from itertools import product

NOT_FINITE = ["NaN", "nan", "sNaN", "-NaN", "NaN123", "Infinity", "-Infinity", "+inf", "INF"]
NOT_DECIMAL = [
    "",
    " ",
    ".",
    "-",
    "+",
    "e5",
    "1e",
    "1e+",
    "0x10",
    "0b1",
    "1,000",
    "1.000,50",
    "1'000",
    "1_000",
    "1 000",
    "1\u00a0000",
    "1..5",
    "1.5.0",
    "--1",
    "+-1",
    "1-",
    "1.5f",
    "½",
    "\uff11\uff12",
    "١٢٣",
    "१२",
    "1\u0000",
    "1\u200b",
    "\ufeff1",
    "1\n",
    "\t1",
    " 1",
    "1 ",
    "$1",
    "1%",
    "None",
    "null",
    "True",
    "1/3",
    "1e1.5",
    "1e\uff11",
    "1E 5",
]
HUGE = [
    *(f"{sign}1e{exponent}" for sign in ("", "-") for exponent in (41, 65, 400, 999, 9_999_999)),
    *(f"{sign}1e-{exponent}" for sign in ("", "-") for exponent in (65, 400, 999, 9_999_999)),
    *("9" * count for count in (41, 129, 5_000)),
    *("0." + "9" * count for count in (41, 129, 5_000)),
    "0" * 5_000,
    "1e99999999999999999999",
    "0e-65",
    "0e40",
]


def unsound_numbers():
    """Texts that are no decimal number, with what makes them so in every place."""
    seeds = ["1", "1.50", "-0.001", "1e5", "+12345.678"]
    marks = [" ", "\t", "\n", "\u00a0", "_", ",", "'", "\u0660", "\uff11", "\x00", "x", "\u2212"]
    inserted = {
        text[:place] + mark + text[place:]
        for text, mark in product(seeds, marks)
        for place in range(len(text) + 1)
    }
    return sorted({*NOT_FINITE, *NOT_DECIMAL, *HUGE, *inserted})


def sound_numbers():
    """Texts of decimal numbers in every plain and scientific spelling within the limits."""
    signs = ["", "-", "+"]
    wholes = ["0", "00", "7", "10", "123456789", "9" * 20]
    fractions = ["", ".", ".0", ".5", ".50", ".000000001", "." + "3" * 19]
    exponents = ["", "e0", "E5", "e+2", "e-7", "e-40"]
    plain = ["".join(parts) for parts in product(signs, wholes, fractions, exponents)]
    return [*plain, ".5", "-.5", "1e-64", "9" * 40, "1." + "0" * 39]


def unsound_times():
    """Texts that are no RFC 3339 time with an offset, or none that exists."""
    days = [
        "0000-01-01",
        "2026-00-10",
        "2026-13-01",
        "2026-02-29",
        "2026-1-1",
        "26-01-01",
        "10000-01-01",
    ]
    clocks = [
        "24:00:00",
        "09:60:00",
        "23:59:60",
        "9:30:00",
        "09:30",
        "093000",
        "25:00:00",
        "-1:00:00",
    ]
    zones = [
        "",
        "z0",
        "UTC",
        " Z",
        "+0100",
        "+01",
        "+24:00",
        "+01:60",
        "GMT+1",
        "[Europe/Paris]",
        "\u221201:00",
    ]
    fractions = [".", ".1234567890", ".12345678901", ".123456789012", ",5", ".-5", ".٣"]
    broken = [
        *(f"{day}T09:30:00Z" for day in days),
        *(f"2026-01-31T{clock}Z" for clock in clocks),
        *(f"2026-01-31T09:30:00{zone}" for zone in zones),
        *(f"2026-01-31T09:30:00{fraction}Z" for fraction in fractions),
        *(f"{day}T{clock}{zone}" for day, clock, zone in product(days, clocks, zones)),
        *(str(1_767_796_200 * 10**power) for power in (0, 3, 6, 9)),
        "1767796200.5",
        "",
        "now",
        "2026-01-31",
        "09:30:00Z",
        "2026-W05-6T09:30:00Z",
        "2026-031T09:30:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-01-31T09:30:00Z" + " " * 100,
        "\uff12\uff10\uff12\uff16-01-31T09:30:00Z",
    ]
    sound = "2026-01-31T09:30:00.5Z"
    marks = [" ", "\n", "\x00", "\u200e", "+", ":", "-", "0"]
    inserted = [
        sound[:place] + mark + sound[place:]
        for place, mark in product(range(len(sound) + 1), marks)
        if not (mark == "0" and 20 <= place <= 21)
    ]
    spaced = {sound.replace("T", " "), sound.replace("T", "t")}
    return sorted({*broken, *inserted} - spaced)
