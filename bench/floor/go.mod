module parley/bench/floor

go 1.26.0
