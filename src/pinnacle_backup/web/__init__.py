"""The studio server: pages and API, on top of the use-cases in ``app``."""
