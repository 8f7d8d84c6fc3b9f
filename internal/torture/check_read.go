package torture

import (
	"cmp"
	"slices"
)

// How many unread messages are counted at most, and in how many of the newest events.
const (
	mostUnread  = 100
	mostCounted = 2000
)

// checkReads checks that read marks never move back: a mark that was acknowledged before a request
// is visible to it, and no mark exceeds what was requested by then. It reports at most one finding.
func (r *roomCheck) checkReads() {
	byPerson := map[string][]ReadMark{}
	for _, read := range r.reads {
		byPerson[read.Person] = append(byPerson[read.Person], read)
	}
	for _, who := range sortedKeys(byPerson) {
		begun := byPerson[who]
		answered := slices.DeleteFunc(slices.Clone(begun), func(read ReadMark) bool { return read.Answered == 0 })
		slices.SortFunc(answered, func(a, b ReadMark) int { return cmp.Compare(a.Called, b.Called) })
		for _, is := range answered {
			least, most := is.Asked, int64(0)
			for _, other := range begun {
				if other.Answered != 0 && other.Answered < is.Called {
					least = max(least, other.Read)
				}
				if other.Called < is.Answered {
					most = max(most, other.Asked)
				}
			}
			if is.Read < least || is.Read > most {
				r.report(Unread, is.Read,
					"%s has read up to %d, by an answer; what was said and acknowledged makes it %d to %d", who,
					is.Read, least, most)
				return
			}
			if left := r.unread(who, is.Read); is.Last && is.Unread != left {
				r.report(Unread, is.Read, "%s has read up to %d and %d are left, not %d", who, is.Read, left, is.Unread)
				return
			}
		}
	}
}

// unread counts the messages of others after seq after that were not deleted.
func (r *roomCheck) unread(who string, after int64) (n int) {
	events := r.history.Events
	for _, e := range events[max(0, len(events)-mostCounted):] {
		if e.Kind == Message && e.Seq > after && e.Author != who && !e.Deleted {
			n++
		}
	}
	return min(n, mostUnread)
}
