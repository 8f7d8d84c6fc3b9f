package torture

import (
	"cmp"
	"slices"
)

// Up to how many unread messages are counted, and among how many of the newest
// events.
const (
	mostUnread  = 100
	mostCounted = 2000
)

// checkReads looks whether what each person has read only ever went on: what was
// acknowledged before something else was asked is read then too, and nothing is
// that nobody had said by then. One finding is enough.
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
				r.report(Unread, is.Read, "%s has read up to %d, by an answer; what was said and acknowledged makes it %d to %d", who, is.Read, least, most)
				return
			}
			if left := r.unread(who, is.Read); is.Last && is.Unread != left {
				r.report(Unread, is.Read, "%s has read up to %d and %d are left, not %d", who, is.Read, left, is.Unread)
				return
			}
		}
	}
}

// unread counts the messages of others after one that are still there.
func (r *roomCheck) unread(who string, after int64) (n int) {
	events := r.history.Events
	for _, e := range events[max(0, len(events)-mostCounted):] {
		if e.Kind == Message && e.Seq > after && e.Author != who && !e.Deleted {
			n++
		}
	}
	return min(n, mostUnread)
}
