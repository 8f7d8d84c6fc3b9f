package store

import "parley/internal/chat"

// maxLooks limits how many names of one message are looked up. Most are nobody's. Everybody's messages wait for these
// look-ups.
const maxLooks = 4 * chat.MaxMentions

// namedIn returns the people whom a message mentions, each once. look finds those who go by a folded name; it is called
// once for each name, and at most maxLooks times.
func namedIn(mentions [][]string, look func(folded string) []Named) (found []Named) {
	looked := map[string]bool{}
	for _, names := range mentions {
		if len(found) == chat.MaxMentions {
			break
		}
		for _, name := range names {
			name = chat.FoldName(name)
			if looked[name] { // its people are among found, if there are any
				break
			}
			if len(looked) == maxLooks {
				return found
			}
			looked[name] = true
			if people := look(name); len(people) > 0 {
				found = append(found, people[:min(len(people), chat.MaxMentions-len(found))]...)
				break
			}
		}
	}
	return found
}

// eachName calls do for each folded name that namedIn may look up, whatever it finds for the others.
func eachName(mentions [][]string, do func(folded string)) {
	for _, names := range mentions[:min(len(mentions), maxLooks)] {
		for _, name := range names {
			do(chat.FoldName(name))
		}
	}
}
