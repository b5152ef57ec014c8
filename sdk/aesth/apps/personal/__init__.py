"""One person's taste, learnt from stars that they gave or from choices between two photos, and how much it gains."""
