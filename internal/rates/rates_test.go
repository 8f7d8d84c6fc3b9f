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

func TestWhatIsChargedIsMadeUpForByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rates.New[string](2, 10)
		if left := r.Left("ada"); left != 10 {
			t.Errorf("at first %d are left", left)
		}
		r.Charge("ada", 8)
		r.Charge("ada", 8) // more than there was
		r.Charge("ada", -1)
		if left := r.Left("ada"); left != -6 {
			t.Errorf("after a charge of 16 %d are left, want -6", left)
		}
		if wait := r.Take("ada"); wait != 3500*time.Millisecond {
			t.Errorf("in debt: wait %v", wait)
		}
		r.Charge("grace", 1_000_000) // as much as a burst, and no more
		if left := r.Left("grace"); left != 0 {
			t.Errorf("after a large charge %d are left", left)
		}
		time.Sleep(3500 * time.Millisecond)
		if wait := r.Take("ada"); wait != 0 {
			t.Errorf("after waiting as told: wait %v", wait)
		}
	})
}

func TestGroupHasTheLimitOfSoManyMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rates.NewShared[int, string](1, 20, 10)
		taken := 0
		for member := range 50 {
			for range 12 {
				if wait, ofGroup := s.Take(member, "office"); wait == 0 {
					taken++
				} else if !ofGroup || wait != 100*time.Millisecond {
					t.Fatalf("member %d: wait %v, of the group %v", member, wait, ofGroup)
				}
			}
		}
		if taken != 200 {
			t.Errorf("50 members of a group have had %d events at once, want 200", taken)
		}
		for i := range 21 {
			if wait, ofGroup := s.Take(1000, "elsewhere"); (wait > 0) != (i == 20) || ofGroup {
				t.Errorf("event %d of another group's member: wait %v, of the group %v", i, wait, ofGroup)
			}
		}
		without := rates.NewShared[int, string](1, 2, 0)
		for member := range 1000 {
			if wait, _ := without.Take(member, "office"); wait > 0 {
				t.Fatalf("without a limit for groups: member %d has to wait %v", member, wait)
			}
		}
	})
}
