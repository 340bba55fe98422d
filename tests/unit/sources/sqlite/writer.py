"""
The application of the tests: ``writer.py ROLE LIBRARY DATABASE...``, a process of its own.

``count`` counts up in each database after the other; ``together`` in all of them in one transaction;
``crash`` dies in the middle of a transaction; ``die`` dies after one, before any checkpoint.
"""

import os
import sqlite3
import sys

import apsw

CHANGE = "UPDATE filler SET bytes = randomblob(400) WHERE id = abs(random()) % 500"


def connect(library, path):
    if library == "apsw":
        connection = apsw.Connection(path)
        connection.set_busy_timeout(20_000)
        return connection
    return sqlite3.connect(path, isolation_level=None, timeout=20)


def run(connection, *statements):
    for statement in statements:
        list(connection.execute(statement))


def count(connections):
    while True:
        for connection in connections:
            run(connection, "BEGIN IMMEDIATE", "UPDATE counter SET n = n + 1", CHANGE, "COMMIT")


def together(connections, paths):
    first = connections[0]
    for number, path in enumerate(paths[1:]):
        first.execute(f"ATTACH ? AS other{number}", (path,))
    updates = [f"UPDATE other{number}.counter SET n = n + 1" for number in range(len(paths) - 1)]
    while True:
        run(first, "BEGIN IMMEDIATE", "UPDATE main.counter SET n = n + 1", CHANGE, *updates, "COMMIT")


def crash(connections):
    for connection in connections:
        run(connection, "PRAGMA cache_size = 5", "BEGIN IMMEDIATE", "UPDATE counter SET n = -1")
        run(connection, "UPDATE filler SET bytes = randomblob(400)")
    os._exit(0)


def die(connections):
    for connection in connections:
        run(connection, "PRAGMA wal_autocheckpoint = 0", "UPDATE counter SET n = 7")
        run(connection, "UPDATE filler SET bytes = randomblob(400)")
    os._exit(0)


role, library, *paths = sys.argv[1:]
opened = [connect(library, path) for path in paths]
for one in opened:
    run(one, "PRAGMA synchronous = off")
print("ready", flush=True)
{
    "count": lambda: count(opened),
    "together": lambda: together(opened, paths),
    "crash": lambda: crash(opened),
    "die": lambda: die(opened),
}[role]()
