package rates_test

import (
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/rates"
)

func TestEachKeyHasItsBurstAndThenItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rates.New[string](2, 3)
		for i := range 3 {
			if wait := r.Take("ada"); wait != 0 {
				t.Errorf("event %d of the burst has to wait %v", i, wait)
			}
		}
		for range 5 { // what is refused is not counted
			if wait := r.Take("ada"); wait != 500*time.Millisecond {
				t.Errorf("beyond the burst: wait %v", wait)
			}
		}
		if wait := r.Take("grace"); wait != 0 {
			t.Errorf("another key has to wait %v", wait)
		}
		time.Sleep(500 * time.Millisecond)
		if wait := r.Take("ada"); wait != 0 {
			t.Errorf("after waiting as told: wait %v", wait)
		}
	})
}

func TestQuietKeysAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rates.New[int](1, 10)
		for i := range 1000 {
			r.Take(i)
		}
		time.Sleep(time.Minute)
		r.Take(-1)
		if n := r.Len(); n != 1 {
			t.Errorf("%d keys are remembered, want the one in use", n)
		}
	})
}

func TestNoRateIsNoLimit(t *testing.T) {
	r := rates.New[int](0, 1)
	for range 1000 {
		if wait := r.Take(1); wait != 0 {
			t.Fatalf("wait %v", wait)
		}
	}
	if r.Len() != 0 {
		t.Error("keys are remembered for nothing")
	}
}
