"""What one keyring does otherwise than the Secret Service API says, one file for each."""
