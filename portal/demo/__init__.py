"""The demo: two real conventions, partners and people who do not exist, a pretended clock, the real engine throughout.

Each step is one line of a timeline that a DPO can read. The exchanges run as Prefect flows on one embedded server.
"""

from portal.demo.play import play

__all__ = ["play"]
