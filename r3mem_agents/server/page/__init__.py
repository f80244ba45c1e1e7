"""The page that a server shows at ``/``: static files, which ask the REST interface and nobody else."""
