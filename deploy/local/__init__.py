"""The whole suite on one machine: what `make run` starts, watches and stops."""
