"""What every way of deploying shares: the deployment list, the secrets, the front door, the broker, the migrations."""
