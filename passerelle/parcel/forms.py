"""Documents of canonical JSON, read into their forms: what does not fit is told by its key, never by its value."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from passerelle.canonical import parse
from passerelle.errors import EvidenceError

Form = TypeVar("Form", bound=BaseModel)


def read_form(data: bytes, form: type[Form], where: str) -> Form:
    """What ``data``, a document of canonical JSON, says.

    Raises:
        EvidenceError: not canonical JSON, or not of the form; its ``where`` names the key in the document ``where``.
    """
    try:
        parse(data)
        return form.model_validate_json(data)
    except EvidenceError as error:
        raise EvidenceError(error.message, where=where) from None
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
        path = ".".join(str(step) for step in fault["loc"]) or "whole"
        raise EvidenceError(fault["msg"][:1].lower() + fault["msg"][1:], where=f"{where}: {path}") from None


def read_line(data: bytes, form: type[Form], where: str, most: int) -> Form:
    """What the first line of ``data`` says; its signature follows it, and both have at most ``most`` bytes.

    Raises:
        EvidenceError: too long, no line, or as ``read_form``.
    """
    line, newline, _ = data[: most + 1].partition(b"\n")
    if len(data) > most or not newline:
        raise EvidenceError(
            f"expected a line and its signature, at most {most} bytes",
            where=where,
            fr=f"il faut une ligne et sa signature, au plus {most} octets",
        )
    return read_form(line, form, where)
