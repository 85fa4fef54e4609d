"""Files on disks, by path, and in object stores and elsewhere, by URL."""
