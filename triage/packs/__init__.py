"""The bundled starter packs: `catalogue.toml`, sources worth starting with, by interest."""
