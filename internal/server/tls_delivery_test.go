//go:build !race

package server

import "testing"

// TestTLSDeliveryAllocatesNothing is not for the race detector, which has pools
// forget what they hold.
func TestTLSDeliveryAllocatesNothing(t *testing.T) {
	overTLS = true
	defer func() { overTLS = false }()
	TestDeliveryAllocatesNothing(t)
}
