"""``r3mem bench recall``: do lookups find the turns that answer a question, beside the peers'?"""
