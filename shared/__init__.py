"""Mechanism shared by the services, never policy: nothing here names a business noun or decides who may do what."""
