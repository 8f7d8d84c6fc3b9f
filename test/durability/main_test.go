package durability

import (
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m,
		map[string]func(){"parley": cli.Main, "parley-unsynced": unsynced, "parley-checkpointing": checkpointing})
}

// patience is how long something may take that is about to happen.
const patience = 60 * time.Second
