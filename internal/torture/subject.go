package torture

import (
	"context"
	"math/rand/v2"
)

// A Subject is a server that is tortured. It is started again after each end,
// on the same data.
type Subject interface {
	// Start returns once the server listens, with its address.
	Start(ctx context.Context) (url string, err error)
	// Kill ends the server without a word.
	Kill() error
	// Stop asks the server to end, and reports if it does not do so well.
	Stop() error
}

// A subject that has ways of its own to suffer, besides being ended, says which.
type hasFaults interface{ Ailments() []SubjectFault }

// A SubjectFault is a fault that its subject knows how to bring about while the
// server runs.
type SubjectFault struct {
	Name  string
	Begin func(*rand.Rand) error
	End   func(*rand.Rand) error // nil: it does not end, or has ended
	Over  func() error           // ends the server, which needs a restart afterwards; nil: it does not
}

// ailments returns what a subject can suffer from.
func ailments(s Subject) []SubjectFault {
	if a, ok := s.(hasFaults); ok {
		return a.Ailments()
	}
	return nil
}
