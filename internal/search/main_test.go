package search

import (
	"flag"
	"os"
	"testing"
)

// TestMain has rapid try 25 cases of each property instead of 100, which take minutes under the race detector. They
// differ each time. -rapid.checks=1000 tries more.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
