"""The ad platforms on loopback: servers that speak the real wire protocols, driven by a facts folder."""
