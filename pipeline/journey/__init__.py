"""Leads from stage to stage: how fast, where they stand still, who was reached."""
