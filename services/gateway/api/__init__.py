"""The gateway's own paths: tokens, discovery, and the pages for people."""
