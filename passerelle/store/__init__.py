"""Tables and transactions: state and trail entry commit together, or neither does."""

from passerelle.store.database import Database

__all__ = ["Database"]
