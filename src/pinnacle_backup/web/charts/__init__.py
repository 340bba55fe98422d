"""
Pictures of a studio's days: pure functions from values to SVG, drawn on the server.

Positions across are percentages and sizes are pixels, so that a chart fits any width and its text keeps its
size. Colours are classes (``static/css/charts.css``); shapes differ as well, for those who tell no colours.
"""

from pinnacle_backup.web.charts.calendar import Day, calendar_strip
from pinnacle_backup.web.charts.growth import Level, growth_chart
from pinnacle_backup.web.charts.shares import Part, donut, share_bar, sparkline, usage_bar
from pinnacle_backup.web.charts.timeline import Point, timeline

__all__ = [
    "Day",
    "Level",
    "Part",
    "Point",
    "calendar_strip",
    "donut",
    "growth_chart",
    "share_bar",
    "sparkline",
    "timeline",
    "usage_bar",
]
