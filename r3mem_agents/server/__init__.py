"""Memories over a network: REST, MCP and a page, behind one guard."""
