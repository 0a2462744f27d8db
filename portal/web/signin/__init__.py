"""Signing in: two factors of one's own, or an identity provider."""
