"""What leaves of a batch: the columns that the exchange allows, identifiers as keyed pseudonyms, a file for machines."""

from __future__ import annotations

from passerelle.minimise.extract import CsvSink, select
from passerelle.minimise.identifiers import SCHEMES, normalise
from passerelle.minimise.prf import cmac, row_tags
from passerelle.minimise.pseudonym import pseudonyms

__all__ = ["SCHEMES", "CsvSink", "cmac", "normalise", "pseudonyms", "row_tags", "select"]
