"""How large the parts of a parcel may be, in bytes: what is longer is refused before it is read."""

MANIFEST = 1024 * 1024
SIGNATURE = 4 * 1024
PROOF = 64 * 1024
NOTICE = 64 * 1024
REPORT = 1024 * 1024
READ = 1024 * 1024  # read or hashed at a time
