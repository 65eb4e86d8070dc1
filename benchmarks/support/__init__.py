"""What the benchmarks share: programs to compare with, a server to load, and our own load process."""
