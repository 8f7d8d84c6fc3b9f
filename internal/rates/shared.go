package rates

import "time"

// Shared limits each of many members and each group of members, such as people and
// their addresses. The limit of a group is a multiple of that of a member, so that
// a client cannot exceed it by using many names.
type Shared[M, G comparable] struct {
	each   *Rates[M]
	groups *Rates[G]
}

// NewShared returns limits that allow each member perSecond events per second and
// burst events at once, and each group as much as size members. A size of 0 means
// no limit for groups; a rate of 0, no limits.
func NewShared[M, G comparable](perSecond float64, burst, size int) *Shared[M, G] {
	return &Shared[M, G]{
		each:   New[M](perSecond, burst),
		groups: New[G](perSecond*float64(size), burst*size),
	}
}

// Take counts an event of a member of a group and returns 0. If one of them has
// reached its limit, it returns how long to wait, and whether the group is the
// reason.
func (s *Shared[M, G]) Take(member M, group G) (wait time.Duration, ofGroup bool) {
	if wait = s.each.Take(member); wait > 0 {
		return wait, false
	}
	wait = s.groups.Take(group)
	return wait, wait > 0
}
