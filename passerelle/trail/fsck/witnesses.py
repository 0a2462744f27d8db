"""What is on record of witnesses, read for the checker alone: who they are, and each head that they cosigned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from sqlalchemy import Connection, text

from passerelle.errors import TrailError
from passerelle.trail.fsck.notes import TIMED, Head, Key, NoteFault, cosigned_at, read_head

KIND = "witness_enrolled"
_WITNESSES = text("SELECT name, key, party FROM trail_witness ORDER BY name")
_COSIGNATURES = text("SELECT witness, size, at, note FROM trail_cosignature ORDER BY size, witness")


class Witnesses:
    """The rows of witnesses and cosignatures; ``heads`` are the cosigned heads that verify, each with its witness.

    What the trail tells of a witness comes with its entries (``tell``); ``faults`` is asked once all were read.
    """

    def __init__(self, connection: Connection, key: Key) -> None:
        self._told: dict[str, tuple[str, str | None]] = {}
        self._parties: dict[str, str] = {}
        self._keys: dict[str, Key] = {}
        self._unreadable: list[str] = []
        for name, vkey, party in connection.execute(_WITNESSES):
            self._parties[str(name)] = str(party)
            try:
                self._keys[str(name)] = Key.read(str(vkey), TIMED)
            except TrailError:
                self._unreadable.append(str(name))
        self.heads: list[tuple[str, Head]] = []
        self._wrong: list[tuple[str, object, str]] = []  # the witness, the size, what is wrong
        for name, size, at, note in connection.execute(_COSIGNATURES):
            try:
                head = read_head(str(note), key, sole=False)
                self.heads.append((str(name), head))
                if (head.size, cosigned_at(str(note), self._keys.get(str(name)))) != (size, at):
                    raise NoteFault("the columns size and at are not what the signed note says")  # noqa: TRY301 -- as those of its note
            except NoteFault as error:
                self._wrong.append((str(name), size, str(error)))

    def place(self, name: str, size: object) -> str:
        """Where a fault is: the name is shown where the trail tells it, the size where it is a number."""
        known = name if name in self._told else "a witness that the trail does not tell"
        return f"cosignature of {known} over {size if isinstance(size, int) else '?'} entries"

    def tell(self, data: bytes) -> None:
        """Take a well-formed entry of ``KIND``."""
        body = json.loads(data)["body"]
        self._told[body["witness"]] = body["fingerprint"], body.get("party")

    def faults(self) -> Iterator[str]:
        """What the trail and the rows do not say alike, then each cosignature that does not hold."""
        for name, (fingerprint, party) in self._told.items():
            key = self._keys.get(name)
            if name not in self._parties:
                yield f"witness {name}: told in the trail, and not on record"
            elif key is None or hashlib.sha256(key.public).hexdigest() != fingerprint:
                yield f"witness {name}: the key on record is not the one that the trail tells"
            elif party not in {None, self._parties[name]}:
                yield f"witness {name}: of another party in the trail"
        if strangers := self._parties.keys() - self._told.keys():
            yield f"trail_witness: {len(strangers)} on record that the trail does not tell"
        for name, head in self.heads:
            if name not in self._told:
                yield f"{self.place(name, head.size)}: made up"
        for name, size, fault in self._wrong:
            yield f"{self.place(name, size)}: {fault}"
