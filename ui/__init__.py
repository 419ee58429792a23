"""The dashboard: NiceGUI pages that read through adloom's query modules and change state only over HTTP."""
