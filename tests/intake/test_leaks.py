"""Whatever comes, only our own errors come out, and they hold no word of the file nor of its name."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.errors import IntakeError
from passerelle.intake import open_source
from tests.intake.conftest import dialect
from tests.intake.workbooks import inline, parts, write

CANARY = "MARTIN-CANARI"
FORMS = [
    dialect(id="one"),
    dialect(id="two", encoding="cp1252", separator=",", line_end="crlf"),
    dialect(id="three", quote=None, separator="|"),
    dialect(id="four", format="xlsx"),
]


def shown(error: BaseException) -> str:
    """All that an error says, its context, arguments and attributes included."""
    texts = [*traceback.format_exception(error), repr(error), str(error), repr(error.args), repr(vars(error))]
    seen: BaseException | None = error
    while seen is not None:
        texts += [repr(seen), repr(vars(seen))]
        seen = seen.__context__
    return "\n".join(texts)


BAD = {
    "header": f"a;{CANARY};c\n1;2;3\n".encode(),
    "header with the wrong columns": f"{CANARY};b;c;d\n".encode(),
    "short row": f"a;b;c\n{CANARY};2\n".encode(),
    "long row": f"a;b;c\n{CANARY};2;3;4\n".encode(),
    "bad encoding": f"a;b;c\n{CANARY};".encode() + b"\xff;3\n",
    "bad encoding, other dialect": f"a,b,c\r\n{CANARY},".encode() + b"\x81,3\r\n",
    "open quote": f'a;b;c\n{CANARY};"2;3\n'.encode(),
    "stray quote": f'a;b;c\n{CANARY}"x;2;3\n'.encode(),
    "blank line": f"a;b;c\n{CANARY};2;3\n\n".encode(),
    "NUL": f"a;b;c\n{CANARY};\0;3\n".encode(),
    "cut archive": b"PK\x03\x04" + CANARY.encode(),
    "empty": b"",
}


@pytest.mark.parametrize("case", BAD)
def test_no_word_of_the_file_in_any_error(tmp_path: Path, case: str) -> None:
    """Planted in the header, in rows, beside bad bytes and in the file's name, a canary is in no error."""
    path = tmp_path / f"{CANARY}.csv"
    path.write_bytes(BAD[case])
    with pytest.raises(IntakeError) as caught, open_source(path, FORMS) as source:
        list(source.digest_pass(["a"]))
    assert CANARY not in shown(caught.value)


@pytest.mark.parametrize(
    "members",
    [
        parts({CANARY: inline("a", CANARY, "c", row=1)}),
        parts({CANARY: inline("a", "b", "c", row=1) + inline(CANARY, None, None, CANARY, row=2)}),
        parts({CANARY: inline("a", "b", "c", row=1) + f'<row r="2"><c r="A2"><v>{CANARY}</v></c></row>'}),
        parts({CANARY: inline("a", "b", "c", row=1) + f"<{CANARY}>"}),
        {**parts({"S": ""}), f"../{CANARY}": CANARY},
    ],
)
def test_no_word_of_a_workbook_in_any_error(tmp_path: Path, members: dict[str, str]) -> None:
    """Planted in cells, tags, sheet names, member names and the file's name, a canary is in no error."""
    path = write(tmp_path / f"{CANARY}.xlsx", members)
    with pytest.raises(IntakeError) as caught, open_source(path, FORMS) as source:
        list(source.digest_pass(["a"]))
    assert CANARY not in shown(caught.value)


pieces = st.one_of(
    st.sampled_from(
        [b"a;b;c\n", b"a,b,c\r\n", b"a|b|c\n", b"1;2;3\n", b'"', b";", b",", b"\r", b"\n", b"\0", b"\xef\xbb\xbf"]
    ),
    st.sampled_from([b"\xff", b"\xe9", b"\x81", "é€".encode(), b"PK\x03\x04", b"PK\x05\x06", CANARY.encode()]),
    st.binary(max_size=12),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
@given(
    head=st.sampled_from([b"", b"a;b;c\n", b"a,b,c\r\n", b"a|b|c\n"]),
    tail=st.lists(pieces, max_size=25),
    size=st.sampled_from([64, 100, 4096]),
)
def test_any_bytes(tmp_path: Path, head: bytes, tail: list[bytes], size: int) -> None:
    """Any bytes are read as the dialect says or refused with our own error; both passes agree on the rows."""
    path = tmp_path / "any"
    path.write_bytes(head + b"".join(tail))
    try:
        with open_source(path, FORMS, batch_bytes=size) as source:
            keys = [key for batch in source.digest_pass(["a"]) for key in batch.rows["a"].to_pylist()]
            rows = [row["a"] for batch in source.batches() for row in batch.rows.to_pylist()]
            assert keys == rows
            assert source.rows == len(rows)
    except IntakeError as error:
        assert CANARY not in shown(error)  # noqa: PT017 -- either outcome is right


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=2_000)
@given(
    head=st.sampled_from([b"a;b;c\n", b"a,b,c\r\n", b"a|b|c\n"]),
    tail=st.lists(pieces, max_size=40),
    size=st.integers(64, 200),
)
def test_many_bytes(tmp_path: Path, head: bytes, tail: list[bytes], size: int) -> None:
    """The same over two thousand files, cut at every place."""
    test_any_bytes.hypothesis.inner_test(  # type: ignore[attr-defined]  # what hypothesis adds
        tmp_path, head, tail, size
    )
