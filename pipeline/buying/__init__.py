"""Accounts and who of the buying group is there."""
