"""How people get in: the command line. The only floor that imports typer and rich."""
