"""What services that speak OneRoster share: the mechanism of its queries and answers, and none of its objects."""
