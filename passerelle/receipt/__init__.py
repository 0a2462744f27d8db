"""Receipts: a recipient's signed word that a parcel came whole (docs/spec/receipt.md).

``form`` needs neither workspace nor database; ``recording`` is the gateway's side.
"""

from passerelle.receipt.form import (
    NAMESPACE,
    Receipt,
    Received,
    check_continues,
    check_matches,
    read_receipt,
    receipt_of,
    sign_receipt,
    verify_receipt,
)

__all__ = [
    "NAMESPACE",
    "Receipt",
    "Received",
    "check_continues",
    "check_matches",
    "read_receipt",
    "receipt_of",
    "sign_receipt",
    "verify_receipt",
]
