"""What can change: one verb, one file, one public function."""
