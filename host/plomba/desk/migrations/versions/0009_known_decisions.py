"""What the desk held when a decision was taken: it counts behind all of that, whatever the clocks say."""

from alembic import op

from plomba.desk.migrations.columns import NUMBER, required

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # `known`: the number of the newest record that was held. What was decided before this was kept goes by its time,
    # which was moved behind all that was known of the order.
    op.add_column("decisions", required("known", NUMBER, server_default="0"))
