"""What other systems send in their own words, and letters: put into ours by mapping files."""
