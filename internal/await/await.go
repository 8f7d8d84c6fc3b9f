// Package await lets tests wait for conditions that nothing reports.
package await

import (
	"context"
	"testing"
	"time"
)

// True waits until a condition holds, and fails the test if it does not within a minute. what is the condition as a
// sentence.
func True(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not so, also not after a while: %s", what)
		}
	}
}
