package cluster_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/cluster"
	"parley/internal/cluster/clustertest"
	"parley/internal/rates"
)

// startLimited starts a node with a limit of 5 events per second and 20 at once, until the test ends.
func startLimited(t *testing.T, network *clustertest.Network) *rates.Rates[netip.Addr] {
	limit := rates.New[netip.Addr](5, 20)
	var ledger rates.Ledger
	rates.ShareByAddress(&ledger, "things", limit)
	node := cluster.New(network.Bus(), cluster.Config{})
	send := cluster.ConnectLimits(node, &ledger)
	for _, run := range []func(context.Context) error{node.Run, send} {
		t.Cleanup(inBackground(t, run))
	}
	return limit
}

func TestLimitHoldsForAllNodesTogether(t *testing.T) {
	tests := map[string]struct {
		faults clustertest.Faults
		most   int // events in a minute
	}{
		"in the long run":      {most: 20 + 5*60 + 2*21},
		"messages come late":   {faults: clustertest.Faults{Delay: 90 * time.Millisecond}, most: 20 + 5*60 + 2*22},
		"a tenth is lost":      {faults: clustertest.Faults{Drop: 0.1}, most: (20 + 5*60) * 5 / 4},
		"half is overtaken":    {faults: clustertest.Faults{Delay: time.Second}, most: (20 + 5*60) * 3 / 2},
		"no node hears others": {faults: clustertest.Faults{Drop: 1}, most: 3 * (20 + 5*60)},
	}
	home := netip.MustParseAddr("2001:db8::")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := clustertest.New(1)
				network.SetFaults(tt.faults)
				var limits []*rates.Rates[netip.Addr]
				for range 3 {
					limits = append(limits, startLimited(t, network))
				}
				taken := 0
				for range 60 * 100 {
					for _, limit := range limits {
						if limit.Take(home) == 0 {
							taken++
						}
					}
					time.Sleep(10 * time.Millisecond)
				}
				if least := 5 * 60; taken < least || taken > tt.most {
					t.Errorf("%d events in a minute, want %d to %d", taken, least, tt.most)
				}
			})
		})
	}
}
