"""One file a table: how its rows are read, and which break which rule."""
