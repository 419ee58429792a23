"""What a page reads, as one object, through adloom's query modules inside one tenant transaction."""
