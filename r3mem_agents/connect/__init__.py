"""From a host of agents to a memory: its configuration, and the hooks that it calls.

``hosts`` says where each host keeps its configuration and what belongs into it, ``changes`` puts
that in and takes it out again, ``events`` and ``capture`` are what a host's hooks run.
"""
