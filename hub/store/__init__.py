"""The hub's database: SQLAlchemy tables, repositories, migrations. Every read takes a Viewer."""
