"""The routes: ``api`` for programs and for the pages' scripts, ``pages`` for people; one module a noun."""
