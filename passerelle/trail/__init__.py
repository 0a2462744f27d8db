"""The trail: what happened, in a Merkle log that partners and the DPO can check without us (docs/spec/trail.md).

Pure: ``merkle``, ``note``, ``checkpoint``, ``proof``, ``entry``. With a database: ``tables``, ``ledger``. Apart from all of
them, sharing none of their code: ``fsck``. For people: ``show``.
"""

from passerelle.trail.checkpoint import Checkpoint, open_checkpoint, verifier_key
from passerelle.trail.entry import Entry, commitment
from passerelle.trail.ledger import Ledger, Recorded
from passerelle.trail.proof import Proven, verify_entry, verify_proof

__all__ = [
    "Checkpoint",
    "Entry",
    "Ledger",
    "Proven",
    "Recorded",
    "commitment",
    "open_checkpoint",
    "verifier_key",
    "verify_entry",
    "verify_proof",
]
