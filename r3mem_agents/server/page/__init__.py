"""The page that a server shows at ``/``: files, which ask the REST interface alone."""
