package sqlite

// A cache holds at least the last size keys that were put or got, and at most twice as many. When
// the younger of its two generations is full, the older is dropped. It costs one map look-up,
// unlike a list in order of use.
type cache[K comparable, V any] struct {
	size       int
	young, old map[K]V
}

func newCache[K comparable, V any](size int) cache[K, V] {
	return cache[K, V]{size: size, young: make(map[K]V)}
}

func (c *cache[K, V]) get(key K) (V, bool) {
	v, ok := c.young[key]
	if ok {
		return v, true
	}
	if v, ok = c.old[key]; ok {
		delete(c.old, key)
		c.put(key, v)
	}
	return v, ok
}

func (c *cache[K, V]) put(key K, v V) {
	if len(c.young) >= c.size {
		c.old, c.young = c.young, make(map[K]V, c.size)
	}
	c.young[key] = v
}

func (c *cache[K, V]) remove(key K) {
	delete(c.young, key)
	delete(c.old, key)
}
