"""Resend's API, and its mailbox as a page."""
