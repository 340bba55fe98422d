"""All backups in one store: names, listing, locks, catalog."""
