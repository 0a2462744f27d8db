"""The eight steps of an exchange, and what a crash between them leaves."""
