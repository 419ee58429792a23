"""The command line, for operators, scripts and acceptance checks.

Exit codes: 0 done; 1 the answer is no (a difference, a failed sync, dead events); 2 wrong usage; 3 something that is
needed does not answer or is not set up.
"""
