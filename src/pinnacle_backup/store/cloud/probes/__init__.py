"""Questions to a bucket, one after the other: is it there, may we, does it do what we rely on."""
