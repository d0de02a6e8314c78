"""Search: PostgreSQL holds the truth, each process of the API an index of its own that follows it.

`port.py` is what the use cases know; `tantivy_index.py` is the index. A city that outgrows it writes another class.
"""
