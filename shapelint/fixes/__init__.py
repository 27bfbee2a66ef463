"""Changes to the user's source: proposed by rules, applied to a copy, shown only when
they hold."""
