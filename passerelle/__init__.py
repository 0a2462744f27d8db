"""The engine: what a convention allows is taken in, judged, minimised, sealed, delivered, traced and destroyed."""
