"""The applications that come with OneBase; each is a plugin like anybody's."""
