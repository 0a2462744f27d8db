"""When data must go, and making it go: plan, purge, certificate."""
