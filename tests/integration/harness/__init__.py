"""What the integration tests are written with: the real bridge, real producers, real clients, and patience."""
