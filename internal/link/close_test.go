package link

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestConnectionsEndInSlicesWithinTheSpread(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		clients int
		spread  time.Duration
		most    int           // that end together
		took    time.Duration // until the last one ends
	}{
		"at once without a spread":   {clients: 5000, most: 5000},
		"at once if they are few":    {clients: 75, spread: 10 * time.Second, most: 75},
		"none":                       {spread: 10 * time.Second},
		"over two milliseconds each": {clients: 1000, spread: 10 * time.Second, most: 50, took: 1900 * ms},
		"over the spread if many":    {clients: 5000, spread: 2 * time.Second, most: 250, took: 1900 * ms},
		"some in the last slice":     {clients: 1001, spread: 300 * ms, most: 334, took: 200 * ms},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, called := time.Now(), map[time.Duration]int{}
				functions := make([]func(), tt.clients)
				for i := range functions {
					functions[i] = func() { called[time.Since(start)]++ }
				}
				callInSlices(t.Context(), functions, sliceSize(tt.clients, tt.spread))
				all, most := 0, 0
				for _, n := range called {
					all, most = all+n, max(most, n)
				}
				if all != tt.clients || most != tt.most || time.Since(start) != tt.took {
					t.Errorf("%d ended, at most %d together, in %v; want %d, %d, %v", all, most, time.Since(start),
						tt.clients, tt.most, tt.took)
				}
			})
		})
	}
}

func TestConnectionsThatAreLeftEndWhenTheTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		start, called := time.Now(), map[time.Duration]int{}
		end := func() { called[time.Since(start)]++ }
		callInSlices(ctx, []func(){end, end, end, end, end, end, end}, 1)
		want := map[time.Duration]int{
			0: 1, 100 * time.Millisecond: 1, 200 * time.Millisecond: 1, 250 * time.Millisecond: 4,
		}
		if diff := cmp.Diff(want, called); diff != "" {
			t.Error(diff)
		}
	})
}
