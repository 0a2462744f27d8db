"""Keys: the root key and what it wraps, one key set per convention, and the recipients that partners enrol."""

from passerelle.keys.age import AgeSink, age_sink
from passerelle.keys.keyset import ORDERS, CopyKey, KeySet
from passerelle.keys.opening import AgeSource, age_source, decrypt
from passerelle.keys.recipient import Identity, Recipient, parse_identities, parse_recipient, read_identities
from passerelle.keys.ring import KeyRing
from passerelle.keys.root import FileRootKey, RootKey, RootKeys
from passerelle.keys.seeking import AgeFile
from passerelle.keys.ssh import (
    BUNDLE_NAMESPACE,
    CERTIFICATE_NAMESPACE,
    NOTICE_NAMESPACE,
    Signer,
    allowed_signers,
    fingerprint,
    parse_allowed_signers,
    parse_private,
    parse_public,
    public_text,
)

__all__ = [
    "BUNDLE_NAMESPACE",
    "CERTIFICATE_NAMESPACE",
    "NOTICE_NAMESPACE",
    "ORDERS",
    "AgeFile",
    "AgeSink",
    "AgeSource",
    "CopyKey",
    "FileRootKey",
    "Identity",
    "KeyRing",
    "KeySet",
    "Recipient",
    "RootKey",
    "RootKeys",
    "Signer",
    "age_sink",
    "age_source",
    "allowed_signers",
    "decrypt",
    "fingerprint",
    "parse_allowed_signers",
    "parse_identities",
    "parse_private",
    "parse_public",
    "parse_recipient",
    "public_text",
    "read_identities",
]
