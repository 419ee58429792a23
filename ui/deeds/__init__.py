"""What the forms of the settings do: each is a plain form post that calls functions for whoever sent it.

The page stays: `static/desk.js` sends the form and does what the answer says. Whatever a route refuses is said at the
field or on top of the form; when it asks for a proof of who it is, the page asks in place and sends the form again.
"""
