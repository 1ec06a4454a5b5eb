"""The checks of scripts/check-deploy.py, a file for each subject."""
