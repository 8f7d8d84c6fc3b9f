package cluster

import (
	"context"
	"log/slog"
	"time"

	"parley/internal/rates"
)

const (
	// countsEvery is how often nodes tell each other what their limits have counted. For so long, somebody can have as
	// many bursts as there are nodes.
	countsEvery = 100 * time.Millisecond
	// countsSize is how many bytes of that are in one message, about.
	countsSize = 32 << 10
)

// ConnectLimits lets the limits in ledger count what happens on all nodes. It must be called before node.Run. The
// function that it returns sends what was counted here, until ctx ends.
//
// What is lost on the way is counted on one node only. Then a limit allows more than it should for a while, but no more
// than if each node had a limit of its own.
func ConnectLimits(node *Node, ledger *rates.Ledger) (run func(ctx context.Context) error) {
	node.Listen(Limits, "")
	node.Handle(Limits, Handler{
		Receive: func(from NodeID, _ string, payload []byte) {
			if err := ledger.Charge(payload); err != nil {
				node.logger.LogAttrs(context.Background(), slog.LevelWarn, "counts of limits refused",
					slog.String("node", string(from)), slog.Any("err", err))
			}
		},
	})
	return func(ctx context.Context) error {
		tick := time.NewTicker(countsEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
				for _, counts := range ledger.Drain(countsSize) {
					node.Send(Limits, "", counts)
				}
			}
		}
	}
}
