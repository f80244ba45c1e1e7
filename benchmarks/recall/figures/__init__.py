"""The figures of a measurement, from rankings to intervals."""
