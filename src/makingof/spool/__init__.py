"""The spool: how hooks inside other programs hand over what they see, and by which rules it is believed."""
