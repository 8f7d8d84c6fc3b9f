package rates

import "time"

// Shared limits each of many members, and each group of them as if it were so
// many members: who can have as many names as they like gains nothing by that.
type Shared[M, G comparable] struct {
	each   *Rates[M]
	groups *Rates[G]
}

// NewShared returns limits that allow each member so many events per second and
// burst at once, and a group as much as size members. A size of 0 means that
// groups have no limit; a rate of 0, that nobody has one.
func NewShared[M, G comparable](perSecond float64, burst, size int) *Shared[M, G] {
	return &Shared[M, G]{
		each:   New[M](perSecond, burst),
		groups: New[G](perSecond*float64(size), burst*size),
	}
}

// Take counts an event of a member of a group and returns 0, or, if it is too
// early for one of them, returns how long to wait, and whether that is for the
// sake of the group.
func (s *Shared[M, G]) Take(member M, group G) (wait time.Duration, ofGroup bool) {
	if wait = s.each.Take(member); wait > 0 {
		return wait, false
	}
	wait = s.groups.Take(group)
	return wait, wait > 0
}
