"""Where hooks and an archive meet: the spool below it, and the files that stand there by name."""

SPOOL = "spool"
NEWEST = "newest"  # the nonce a stream opens with
RECORDER = "recorder"  # a recorder that runs shows itself here
