"""The database: schema, engine, migrations and one module of queries per noun. No rule lives here."""
