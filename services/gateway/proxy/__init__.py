"""The way through: raw ASGI in, aiohttp out. Never touches the database."""
