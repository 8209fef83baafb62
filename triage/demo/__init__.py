"""The bundled demo day: a fictional morning of feeds, mail and papers, ingested like any other source."""
