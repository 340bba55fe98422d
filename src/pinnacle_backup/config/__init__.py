"""The configuration: one typed schema with defaults, validation and secrets."""
