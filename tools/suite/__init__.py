"""What `make test` and `make check` run, as a table of stages. Begin reading in `__main__`."""
