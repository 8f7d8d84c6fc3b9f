package format

import (
	"strings"
	"sync"
)

// entryCost is what a cached text takes beyond its bytes and its HTML's, about.
const entryCost = 100

// A cache keeps what was rendered lately, in two generations: when the young
// one is full the old one is dropped, and what is asked for meanwhile becomes
// young again. So nothing is kept that is not used, and using it moves no list.
type cache struct {
	limit int // bytes, of both generations

	mu         sync.Mutex
	young, old map[string]string // HTML by text
	size       int               // of young
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

// put keeps what get will return. A text that would push out much else is not kept.
func (c *cache) put(text, html string) {
	if len(text)+len(html) > c.limit/16 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.young[text]; !ok { // somebody else was no slower
		c.add(strings.Clone(text), html) // the caller's may be part of something large
	}
}

// forget drops what is kept of some texts.
func (c *cache) forget(texts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range texts {
		if html, ok := c.young[text]; ok {
			c.size -= costOf(text, html)
			delete(c.young, text)
		}
		delete(c.old, text)
	}
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
