# make run, install.
