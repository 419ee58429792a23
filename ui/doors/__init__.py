"""The ways in besides the log-in itself: the second step, invitations, a forgotten password, set-up, registration.

All are plain pages with one form each; none needs a script.
"""
