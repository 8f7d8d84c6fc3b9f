package durability

import (
	"context"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m,
		map[string]func(){"parley": cli.Main, "parley-unsynced": unsynced, "parley-checkpointing": checkpointing})
}

// patience is how long to wait for something that should happen soon.
const patience = 60 * time.Second

// giveUp returns a channel that is closed after patience, or when the test ends.
func giveUp(t *testing.T) <-chan struct{} {
	limit, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return limit.Done()
}
