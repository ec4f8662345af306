"""Documents that are written from the code, so that they cannot disagree with it: `make docs` writes, `make check` compares."""
