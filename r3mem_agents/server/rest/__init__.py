"""REST: the verbs of a memory as JSON over HTTP, described by OpenAPI."""
