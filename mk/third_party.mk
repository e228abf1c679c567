# Sources fetched at build time by package name, version and checksum.
.PHONY: third-party
third-party:
