"""The registers of the regulation, as rows and as spreadsheets."""
