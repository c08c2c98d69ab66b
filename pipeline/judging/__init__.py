"""How good a run is: figures by source, segment and age, and the weeks of the test replayed."""
