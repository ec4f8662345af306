"""How the suite is run: on one machine, in containers, on Kubernetes."""
