"""The tables and figures of the README and the docs, written from docs/results.

    python -m docs.tables

writes every page anew. A page marks the place of a table, or of a single figure, and what stands
between the marks is replaced:

    <!-- table: codec -->
    <!-- /table -->

    Found: <!-- figure: recall/systems/r3mem/overall/recall@5/value .3f -->0.652<!-- /figure -->

    <!-- output: results/demo.txt -->
    <!-- /output -->

A figure names a result, the keys that lead to its value, and a format: one of Python's, or ``MB``.
An output is the text of a file. No line may begin with the mark of a figure: Markdown would take
the line for HTML.
"""
