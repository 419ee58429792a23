"""The parts every page is put together from. Passive ones return markup; those a person acts on say where they lead."""
