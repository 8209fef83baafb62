"""The screens: digest, reading, why and help."""
