"""What tests share: photos, models and second programs that read what we wrote."""
