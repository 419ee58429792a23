"""Log-ins by identity providers (OpenID Connect): the provider's side of them, and who is known by what it says.

Authlib builds the requests and checks the claims, joserfc the signatures; what both leave to the caller is asked here.
A provider is believed who somebody is (issuer and subject), and which addresses of its own domains are that person's.
"""
