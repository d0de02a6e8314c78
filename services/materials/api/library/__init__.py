"""The shared shelf for the world: OAI-PMH, landing pages, feeds, sitemaps. Nobody needs a token here."""
