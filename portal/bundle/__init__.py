"""The pages of an auditor's bundle, for those who read it without us."""

from portal.bundle.page import pages

__all__ = ["pages"]
