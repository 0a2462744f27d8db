"""The web portal: server-rendered pages over the same engine as the command line (docs/decisions/0015-a-portal-of-pages.md)."""
