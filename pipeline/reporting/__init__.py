"""The report, its pictures and its words."""
