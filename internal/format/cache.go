package format

import (
	"hash/maphash"
	"strings"
	"sync"
	"time"
)

// entryCost is about what a cached text takes in addition to its bytes and those of its HTML.
const entryCost = 100

// A cache holds recently rendered texts in two generations. When the young generation is full, the
// old one is dropped and the young one becomes old; an old entry that is used becomes young again.
// So unused entries disappear, and a look-up does not move entries of a list.
type cache struct {
	limit int // bytes of both generations

	mu         sync.Mutex
	young, old map[string]string // HTML by text
	size       int               // bytes of young

	forgotten forgotten
}

// forgotten are texts that were deleted a moment ago, as hashes, in two generations. Somebody may have read one before
// and render it afterwards.
type forgotten struct {
	seed       maphash.Seed
	young, old map[uint64]struct{}
	since      time.Time // when young began
}

// forgetFor is how long a deleted text is not stored at least.
const forgetFor = 30 * time.Second

func (f *forgotten) add(text string) {
	if f.young == nil {
		f.seed = maphash.MakeSeed()
	}
	f.age()
	f.young[maphash.String(f.seed, text)] = struct{}{}
}

// age replaces the generations that are old enough.
func (f *forgotten) age() {
	now := time.Now()
	switch age := now.Sub(f.since); {
	case age >= 2*forgetFor:
		f.old, f.young, f.since = nil, map[uint64]struct{}{}, now
	case age >= forgetFor:
		f.old, f.young, f.since = f.young, map[uint64]struct{}{}, now
	}
}

func (f *forgotten) has(text string) bool {
	if f.young == nil {
		return false
	}
	if f.age(); len(f.young)+len(f.old) == 0 {
		return false
	}
	hash := maphash.String(f.seed, text)
	_, isYoung := f.young[hash]
	_, isOld := f.old[hash]
	return isYoung || isOld
}

func (c *cache) get(text string) (html string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if html, ok = c.young[text]; ok {
		return html, true
	}
	if html, ok = c.old[text]; ok {
		c.add(text, html)
	}
	return html, ok
}

// put stores the HTML of a text. It does not store a text that would displace many others.
func (c *cache) put(text, html string) {
	if len(text)+len(html) > c.limit/16 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forgotten.has(text) {
		return
	}
	if _, ok := c.young[text]; !ok { // another goroutine may have been faster
		c.add(strings.Clone(text), html) // clone the text, which may be part of a larger string
	}
}

// forget removes texts from the cache.
func (c *cache) forget(texts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range texts {
		c.forgotten.add(text)
		if html, ok := c.young[text]; ok {
			c.size -= costOf(text, html)
			delete(c.young, text)
		}
		delete(c.old, text)
	}
}

// clear removes everything from the cache.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old, c.size = nil, nil, 0
}

func costOf(text, html string) int { return len(text) + len(html) + entryCost }

func (c *cache) add(text, html string) {
	cost := costOf(text, html)
	if c.young == nil || c.size+cost > c.limit/2 {
		c.old, c.young, c.size = c.young, map[string]string{}, 0
	}
	c.young[text] = html
	c.size += cost
}
