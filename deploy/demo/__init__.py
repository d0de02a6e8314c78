"""A demo city, a generator of OneRoster packages, and the main job played once through the gateway.

Everything here speaks to the system as a foreign client does: HTTP through the gateway, nothing else. Only registering
clients and persons uses the operator's command, as an operator would.
"""
