package store

import "parley/internal/chat"

// rememberNew returns the results of attempts at one transaction: for each item the last
// new event, if there was any.
func rememberNew(before, results []chat.Commit) []chat.Commit {
	if before == nil {
		before = make([]chat.Commit, len(results))
	}
	for i, c := range results {
		if isNew(&c) {
			before[i] = c
		}
	}
	return before
}

// keepNew makes new events of those answers that are repetitions only because an earlier
// attempt was committed after all, and returns how many these are. Nobody has seen these
// events yet.
func keepNew(results, before []chat.Commit) (kept int) {
	for i := range before {
		is, was := &results[i], &before[i]
		isSame := was.Event.Seq == is.Event.Seq || was.Event.Seq < 0 // counted from Unloaded
		if is.Repeated && isNew(was) && isSame && is.Event.At.Equal(was.Event.At) {
			was.Event.Seq = is.Event.Seq
			*is = *was
			kept++
		}
	}
	return kept
}

func isNew(c *chat.Commit) bool { return c.Err == nil && !c.Repeated && c.Event.Seq != 0 }
