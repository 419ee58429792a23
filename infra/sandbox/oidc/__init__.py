"""An identity provider: OpenID Connect with real signatures, made-up people, and misbehaviour on demand."""
