package server

import (
	"runtime/debug"
	"slices"
	"testing"
)

func TestTLSDeliveryAllocatesNothing(t *testing.T) {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("the test does not know how it was built")
	}
	if slices.Contains(build.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector has pools forget what they hold")
	}
	overTLS = true
	defer func() { overTLS = false }()
	TestDeliveryAllocatesNothing(t)
}
