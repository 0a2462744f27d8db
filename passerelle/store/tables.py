"""Every table but the trail's. No column holds a person's value from a partner's file.

``partner``, ``approval`` and ``access`` (``access_tables``) name the people who work with the gateway: they are the access side
of the house, apart from the trail, which names nobody.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

meta = Table("meta", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))

convention_event = Table(
    "convention_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("convention", String(80), nullable=False),
    Column("type", String(80), nullable=False),
    Column("payload", Text, nullable=False),  # canonical JSON, the form of domain events
    Column("evidence_sha256", String(64)),
    Column("recorded_by", String(80), nullable=False),
    Column("recorded_at", String(20), nullable=False),
    Index("ix_convention_event_convention", "convention"),
)

# The files of conventions that were accepted, in order; the last one of a convention is the one that the gate goes by.
convention_file = Table(
    "convention_file",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("convention", String(80), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("accepted_at", String(20), nullable=False),
    Index("ix_convention_file_convention", "convention"),
)

# What the daily plan has told, once: an append-only list; whether it is done since is derived, never stored.
planned = Table(
    "planned",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("convention", String(80), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("subject", String(80)),
    Column("due", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("body", Text, nullable=False),  # JSON: titles, basis, article, arithmetic, version of the holiday tables
    Column("planned_at", String(20), nullable=False),
    Index("ix_planned_convention", "convention"),
)

partner = Table(
    "partner",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("folder", Text),
    Column("added_at", String(20), nullable=False),
)

partner_key = Table(
    "partner_key",
    metadata,
    Column("fingerprint", String(80), primary_key=True),
    Column("partner", String(80), ForeignKey("partner.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("enrolled_by", String(80), nullable=False),
    Column("enrolled_at", String(20), nullable=False),
    Column("not_before", String(20)),  # sealed to from this instant on
    Column("not_after", String(20)),  # and before this one
    Column("revoked_at", String(20)),  # the instant that it counts from, which may be before it was recorded
)

approval = Table(
    "approval",
    metadata,
    Column("subject", String(80), primary_key=True),
    Column("actor", String(80), primary_key=True),
    Column("at", String(20), nullable=False),
)

exchange_order = Table(
    "exchange_order",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("convention", String(80), nullable=False),
    Column("exchange", String(80), nullable=False),
    Column("period", String(40), nullable=False),
    Column("sender", String(80)),
    Column("input", LargeBinary, nullable=False),  # the path, sealed: a file name may name a person
    Column("supersedes", String(40)),
    Column("reason", String(40)),
    Column("placed_at", String(20), nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("convention", String(80), nullable=False),
    Column("exchange", String(80), nullable=False),
    Column("period", String(40), nullable=False),
    Column("sender", String(80), nullable=False),
    Column("contract", String(80), nullable=False),
    Column("state", String(20), nullable=False),
    Column("step", Integer, nullable=False),
    Column("counts", Text, nullable=False),
    Column("reason", String(160)),
    Column("started_at", String(20), nullable=False),
    Column("ended_at", String(20)),
    CheckConstraint(
        "state in ('running','delivered','duplicate','refused','failed','interrupted')", name="ck_run_state"
    ),
    Index("ix_run_started", "started_at", "id"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", String(40), primary_key=True),  # the parcel's id: derived from the exactly-once key
    Column("run", String(40), ForeignKey("run.id"), nullable=False),
    Column("convention", String(80), nullable=False),
    Column("exchange", String(80), nullable=False),
    Column("period", String(40), nullable=False),
    Column("recipient", String(80), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("decision", Text, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Column("notices", Text, nullable=False),  # JSON: the two notices that the manifest names by hash
    Column("manifest_sha256", String(64), nullable=False),
    Column("entry", Integer, nullable=False),  # index of the intent in the trail
    Column("rows", Integer, nullable=False),
    Column("location", Text),
    Column("intent_at", String(20), nullable=False),
    Column("delivered_at", String(20)),
    UniqueConstraint("convention", "exchange", "recipient", "sequence", name="uq_delivery_sequence"),
    CheckConstraint("state in ('intent','delivered')", name="ck_delivery_state"),
    # With the instant, which lies behind the manifest in a row: a search by day passes over rows that it does not read.
    Index("ix_delivery_run", "run"),
    Index("ix_delivery_entry", "entry", "delivered_at"),
    Index("ix_delivery_recipient", "recipient", "entry", "delivered_at"),
    Index("ix_delivery_convention", "convention", "entry", "delivered_at"),
)

# What recipients signed (docs/spec/receipt.md); it names keys and parties, no person.
receipt = Table(
    "receipt",
    metadata,
    Column("sha256", String(64), primary_key=True),  # of the file
    Column("parcel", String(40), ForeignKey("delivery.id"), nullable=False),
    Column("party", String(80), nullable=False),
    Column("fingerprint", String(80), nullable=False),
    Column("size", Integer, nullable=False),  # of the trail, as its recipient saw it
    Column("signed_at", String(20), nullable=False),
    Column("recorded_at", String(20), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_receipt_parcel", "parcel"),
)

holding = Table(
    "holding",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("convention", String(80), nullable=False),
    Column("exchange", String(80), nullable=False),
    Column("run", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("location", Text, nullable=False),
    Column("personal", Boolean, nullable=False),
    Column("ours", Boolean, nullable=False),
    Column("bytes", BigInteger),  # a raw copy may have more than 2 GiB
    Column("created_at", String(20), nullable=False),
    Column("destroyed_at", String(20)),
    CheckConstraint(
        "kind in ('raw','quarantine','staging','parcel','release','index','verdicts','figures','inbox')",
        name="ck_holding_kind",
    ),
    Index("ix_holding_convention", "convention"),
    Index("ix_holding_run", "run"),
)
# One copy at a time in one place: what was there before keeps its line, with the instant of its destruction.
Index(
    "uq_holding_present",
    holding.c.location,
    unique=True,
    sqlite_where=holding.c.destroyed_at.is_(None),
    postgresql_where=holding.c.destroyed_at.is_(None),
)

profile = Table(
    "profile",
    metadata,
    Column("run", String(40), ForeignKey("run.id"), primary_key=True),
    Column("convention", String(80), nullable=False),
    Column("exchange", String(80), nullable=False),
    Column("period", String(40), nullable=False),
    Column("contract", String(80), nullable=False),
    Column("body", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("at", String(20), nullable=False),
    Column("content", String(64)),  # digest of what the file makes of it; None: kept by an earlier version meanwhile
    Index("ix_profile_period", "convention", "exchange", "contract", "period", "at", "run"),
    Index("ix_profile_content", "content", "convention", "exchange", "contract", "period"),
)

purge = Table(
    "purge",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("convention", String(80), nullable=False),
    Column("state", String(20), nullable=False),
    Column("plan", Text, nullable=False),
    Column("certificate", Text),
    Column("signature", Text),
    Column("planned_at", String(20), nullable=False),
    Column("ended_at", String(20)),
    CheckConstraint("state in ('started','keys','files','rows','rotated','done')", name="ck_purge_state"),
)
