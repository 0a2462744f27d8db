"""What the command line cannot make sense of, in the reader's language: what is missing, unknown or too much, never what was typed.

The library that reads the arguments speaks English only, and repeats values; these may be a person's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final

import typer

from passerelle.errors import UsageError
from portal.render import Text

FAULT: Final[type[Exception]] = typer.BadParameter.__mro__[2]
"""The root of the library's faults; it has no public name."""
_WORDS = re.compile(r"--?[a-z]+(-[a-z]+)*")  # what an option of ours can look like: no value does


def is_help(fault: Exception) -> bool:
    """Whether the fault is no more than a page of help, because nothing was asked."""
    return type(fault).__name__ == "NoArgsIsHelpError"


def in_words(fault: Any, arguments: Sequence[str], root: Any) -> UsageError:
    """The fault in French and English, with how the command of ``root`` that was meant is used."""
    said, near = _said(fault, arguments)
    fr, en = [], []
    if near:
        fr.append(f"peut-être {', '.join(near)}")
        en.append(f"perhaps {', '.join(near)}")
    path, pieces = _asked(arguments, root)
    if (context := fault.ctx) is not None:
        path, pieces = context.command_path, context.command.collect_usage_pieces(context)
    usage = " ".join([path, *pieces])
    fr += [usage, f"{path} --help l'explique"]
    en += [usage, f"{path} --help explains it"]
    return UsageError(said.en, fr=said.fr, hint="; ".join(en), hint_fr=" ; ".join(fr))


def _asked(arguments: Sequence[str], root: Any) -> tuple[str, list[str]]:
    """The command that the first arguments name, and what follows it."""
    path, command = [root.name], root
    for word in arguments:
        if (under := getattr(command, "commands", {}).get(word)) is None:
            break
        path, command = [*path, word], under
    return " ".join(path), ["[OPTIONS]", "…"]


def _said(fault: Any, arguments: Sequence[str]) -> tuple[Text, list[str]]:
    """What is wrong, and what was perhaps meant."""
    match type(fault).__name__:
        case "NoSuchOption":
            name = fault.option_name if _WORDS.fullmatch(fault.option_name) else ""
            near = sorted(fault.possibilities or ())
            return Text(f"option inconnue{name and f' : {name}'}", f"no such option{name and f': {name}'}"), near
        case "BadOptionUsage":
            name, none = fault.option_name, "does not take" in fault.message
            fr = f"l'option {name} {'ne prend pas de' if none else 'attend une'} valeur"
            return Text(fr, f"the option {name} {'takes no' if none else 'needs a'} value"), []
        case "MissingParameter":
            option = fault.param.param_type_name == "option"
            fr, en = ("l'option", "option") if option else ("l'argument", "argument")
            return Text(f"il manque {fr} {_name(fault)}", f"the {en} {_name(fault)} is missing"), []
        case "BadParameter":
            return _bad_value(fault), []
        case _:
            return _not_understood(fault, arguments)


def _name(fault: Any) -> str:
    return str(fault.param.get_error_hint()).replace("'", "")


def _bad_value(fault: Any) -> Text:
    if fault.param is None:
        return Text("une valeur n'a pas la forme attendue", "a value is not of the form that is expected")
    name, least, most = _name(fault), getattr(fault.param, "min", None), getattr(fault.param, "max", None)
    if least is None and most is None and "integer" not in fault.message:
        return Text(f"{name} : la valeur n'a pas la forme attendue", f"{name}: the value is not of the form expected")
    fr = f" de {least} à {most}" if most is not None else "" if least is None else f", {least} au moins"
    en = f" from {least} to {most}" if most is not None else "" if least is None else f", at least {least}"
    return Text(f"{name} : un nombre entier{fr} est attendu", f"{name}: expected a whole number{en}")


def _not_understood(fault: Any, arguments: Sequence[str]) -> tuple[Text, list[str]]:
    commands = getattr(getattr(getattr(fault, "ctx", None), "command", None), "commands", None)
    if not commands:
        return Text("la commande reçoit trop d'arguments", "more arguments came than the command takes"), []
    if fault.message.startswith("Missing"):
        return Text("il manque une commande", "a command is missing"), []
    near = [name for typed in arguments for name in get_close_matches(typed, commands, 3)]
    return Text("commande inconnue", "no such command"), near
