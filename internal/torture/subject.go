package torture

import (
	"context"
	"math/rand/v2"
	"time"
)

// A Subject is a server to be tortured. It is started again after each end, on the same data.
type Subject interface {
	// Start returns the server's address when it listens.
	Start(ctx context.Context) (url string, err error)
	// Kill ends the server without warning.
	Kill() error
	// Stop asks the server to end, and returns an error if it fails to.
	Stop() error
}

// hasNodes is implemented by subjects of several servers on one log. Start returns when all of them listen, Kill and
// Stop end all.
type hasNodes interface {
	// URLs returns the address of each server, which never changes; "" of one that cannot answer at present.
	URLs() []string
}

// hasFaults is implemented by subjects that have faults of their own, in addition to being ended.
type hasFaults interface{ Faults() []SubjectFault }

// A SubjectFault is a fault that its subject can bring about while the server runs.
type SubjectFault struct {
	Name  string
	Begin func(*rand.Rand) error
	End   func(*rand.Rand) error // ends the fault; nil: it does not end, or ends by itself
	Over  func() error           // ends the server, which needs a restart afterwards; nil: it does not

	// For returns how long the fault lasts; nil: between 0.3 and 2 seconds.
	For func(*rand.Rand) time.Duration
	// Serves says that other servers go on storing messages during the fault.
	Serves bool
}

// subjectFaults returns the subject's own faults.
func subjectFaults(s Subject) []SubjectFault {
	if a, ok := s.(hasFaults); ok {
		return a.Faults()
	}
	return nil
}
