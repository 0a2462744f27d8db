"""Personal data of people who do not exist, in the ways that people write them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

MAILBOXES = ("zoe.quintard", "k_marchebois", "h-lenoir+cv", "rené.valtouze", "jp.oustal2")
HOSTS = ("mairie-exemple.fr", "ville.exemple.ch", "exemple.gouv.fr", "ac-exemple.org")
FIRST, LAST = ("Zoé", "Hippolyte", "Marie-Ange", "Karim"), ("QUINTARD", "Valtouze", "MARCHEBOIS", "de Lenoircourt")


def email(dice: Random) -> str:
    """An address, sometimes with its @ written otherwise."""
    at = dice.choice(("@", "@", "@", " @ ", "(at)", " [arobase] "))
    return f"{dice.choice(MAILBOXES)}{at}{dice.choice(HOSTS)}"


def phone(dice: Random) -> str:
    """A French or Swiss number in one of its usual groupings."""
    pairs = [f"{dice.randrange(100):02}" for _ in range(4)]
    blank = dice.choice((" ", "\u00a0", "\u202f"))
    head = f"0{dice.randrange(1, 10)}"
    plus = dice.choice(("+", "00"))
    return dice.choice(
        (
            blank.join((head, *pairs)),
            ".".join((head, *pairs)),
            "-".join((head, *pairs)),
            "/".join((head, *pairs)),
            "".join((head, *pairs)),
            f"{plus}33{blank}{head[1]}{blank}{blank.join(pairs)}",
            f"{plus}33 (0){head[1]}{blank}{blank.join(pairs)}",
            f"{plus}33{head[1]}{''.join(pairs)}",
            f"022{blank}{dice.randrange(100, 1000)}{blank}{pairs[0]}{blank}{pairs[1]}",
            f"{plus}41{blank}79{blank}{dice.randrange(100, 1000)}{blank}{pairs[0]}{blank}{pairs[1]}",
        )
    )


def nir(dice: Random) -> str:
    """A number with its key, born in no country (99 999) or in Corsica, grouped or not."""
    place = dice.choice(("99999", "2A999", "2B999"))
    whole = f"{dice.choice('12')}{dice.randrange(40, 99)}{dice.randrange(1, 13):02}{place}{dice.randrange(1, 1000):03}"
    key = f"{97 - int(whole.replace('2A', '19').replace('2B', '18')) % 97:02}"
    cuts = (whole[0], whole[1:3], whole[3:5], whole[5:7], whole[7:10], whole[10:], key)
    blank = dice.choice((" ", "\u00a0", "."))
    return dice.choice((whole + key, blank.join(cuts), f"{whole} {key}", " ".join(cuts[:-1])))


def avs(dice: Random) -> str:
    """A number with its EAN-13 key, dotted or not."""
    number = f"756{dice.randrange(1, 10**9):09}"
    key = -sum(int(figure) * (3 if place % 2 else 1) for place, figure in enumerate(number)) % 10
    whole = f"{number}{key}"
    return dice.choice((whole, f"{whole[:3]}.{whole[3:7]}.{whole[7:11]}.{whole[11:]}"))


def iban(dice: Random) -> str:
    """A French or Swiss account with its check digits, grouped or not."""
    country, length = dice.choice((("FR", 23), ("CH", 17)))
    account = "".join(dice.choice("0123456789") for _ in range(length))
    turned = f"{account}{''.join(str(ord(letter) - 55) for letter in country)}00"
    whole = f"{country}{98 - int(turned) % 97:02}{account}"
    return dice.choice((whole, " ".join(whole[i : i + 4] for i in range(0, len(whole), 4))))


def name(dice: Random) -> tuple[str, str]:
    """What announces a name, and the name."""
    first, last = dice.choice(FIRST), dice.choice(LAST)
    title = dice.choice(("M. ", "Mme ", "Madame ", "Monsieur ", "contacter Mme ", "s'adresser à M. "))
    cue = dice.choice(("Contact : ", "contacter ", "Auprès de ", "Personne à contacter : "))
    return dice.choice(((title, f"{first} {last}"), (cue, f"{first} {last}")))


PLANTS: dict[str, Callable[[Random], str]] = {"email": email, "iban": iban, "avs": avs, "nir": nir, "phone": phone}
