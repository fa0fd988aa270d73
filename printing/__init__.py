"""Reports as files: spreadsheets to calculate with, and paper."""
