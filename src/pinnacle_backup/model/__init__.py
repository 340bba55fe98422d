"""Value types that every layer shares. No input or output here."""
