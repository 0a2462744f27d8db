"""The web portal: server-rendered pages over the same engine as the command line (docs/decisions, "A portal of pages")."""
