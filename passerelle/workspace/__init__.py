"""One gateway: its folders, keys, database, clock and conventions."""

from passerelle.workspace.settings import Settings
from passerelle.workspace.workspace import Workspace, convention_files, load_convention

__all__ = ["Settings", "Workspace", "convention_files", "load_convention"]
