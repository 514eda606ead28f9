"""Makes and checks what users get: wheels, sdist, SBOM, images. The Makefile's targets call these modules."""
