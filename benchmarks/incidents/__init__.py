"""The reports held against a real desk's incident log.

The log is the "Incident management process enriched event log" of a ServiceNow desk (Amaral,
Fantinato, Peres 2018, UCI Machine Learning Repository 498, doi:10.24432/C57S4H, CC BY 4.0). It is
no part of this project: whoever has it gives its path.
"""
