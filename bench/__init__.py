"""Benchmarks that the repository keeps: each prints figures of one run on this machine; `make bench` runs them all."""
