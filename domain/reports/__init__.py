"""The reports (R27): what is counted, how, over which time and for whom. Pure; SQL only as data."""
