"""The one seam to the file system: descriptors, metadata, nothing that follows a link."""
