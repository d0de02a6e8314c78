"""What services tell each other: event data, fields only, versioned. Imports nothing of ours."""
