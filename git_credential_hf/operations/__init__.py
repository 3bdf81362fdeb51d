"""What git runs: get, store and erase (git-credential(1), gitcredentials(7))."""
