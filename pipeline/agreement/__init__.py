"""What marketing and sales agreed: criteria against results, and the page for both to sign."""
