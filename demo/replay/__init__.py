"""A real day of a service desk, read from its incident log.

The log is the "Incident management process enriched event log" of a ServiceNow desk (Amaral,
Fantinato, Peres 2018, UCI Machine Learning Repository 498, doi:10.24432/C57S4H, CC BY 4.0). It is
downloaded by whoever wants to replay it and is no part of this project. Each of its rows is one
update of one incident.

Three things are done with it, none of which needs a server: `read_log` reads and checks the rows,
`derive` turns those of one day into the steps that staff took, in an order our desk allows, and
`figures` counts the same day straight from the rows, on a path of its own, so that a replay of
the steps can be checked against it.

The log's times are local and name no zone. They are read as times of the given zone, by default
Asia/Shanghai: the zone decides nothing but where a day begins. Inside everything is UTC.

``resolved_at`` and ``closed_at`` are never read: the log repeats their final values on every row,
so they tell the future. What happened is taken from ``incident_state`` and ``sys_updated_at``.
"""

from demo.replay.figures import Figures, figures
from demo.replay.log import SHANGHAI, SOURCE, IncidentState, LogError, LogRow, opened_on, read_log
from demo.replay.story import Act, Derived, Incident, LogRepair, StaffStep, derive, tell

__all__ = [
    "SHANGHAI",
    "SOURCE",
    "Act",
    "Derived",
    "Figures",
    "Incident",
    "IncidentState",
    "LogError",
    "LogRepair",
    "LogRow",
    "StaffStep",
    "derive",
    "figures",
    "opened_on",
    "read_log",
    "tell",
]
