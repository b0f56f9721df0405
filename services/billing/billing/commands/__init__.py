"""What billing can be told to do: one verb, one file, one public function."""
