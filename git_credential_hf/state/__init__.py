"""What this program keeps on the disk, and how it reads and writes files that may be anything."""
