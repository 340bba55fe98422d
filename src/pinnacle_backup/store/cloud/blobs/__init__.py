"""Backups at Google and in Azure, by way of obstore."""
