"""Tables as they come: found, read as text, rid of what is personal, and what their columns are."""
