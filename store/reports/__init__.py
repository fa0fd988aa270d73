"""The reports counted, and the issues behind each figure."""
