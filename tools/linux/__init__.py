"""Debian's arm64 Linux for comparison: fetched, booted in the same QEMU, with the same programs. Begin reading in
`__main__`."""
