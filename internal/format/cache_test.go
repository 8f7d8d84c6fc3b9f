package format

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestCacheKeepsWhatIsUsedAndHasABound(t *testing.T) {
	c := cache{limit: 64 << 10}
	html := strings.Repeat("x", 500)
	c.put("used", html)
	for i := range 1000 {
		c.put(strconv.Itoa(i), html)
		if got, ok := c.get("used"); !ok || got != html {
			t.Fatalf("after %d more texts it is gone", i+1)
		}
		if size := held(&c); size > c.limit {
			t.Fatalf("%d bytes are held, at most %d", size, c.limit)
		}
	}
	if _, ok := c.get("0"); ok {
		t.Error("what nobody asked for is still there")
	}
	if _, ok := c.get("999"); !ok {
		t.Error("the newest is not there")
	}
}

func TestCacheTakesNothingLarge(t *testing.T) {
	c := cache{limit: 64 << 10}
	c.put("large", strings.Repeat("x", 8<<10))
	if _, ok := c.get("large"); ok {
		t.Error("it was taken")
	}
}

func TestCacheIsSharedByGoroutines(t *testing.T) {
	c := cache{limit: 16 << 10}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 500 {
				text := strconv.Itoa(i % 200)
				if html, ok := c.get(text); ok && html != "html of "+text {
					t.Errorf("%s: %s", text, html)
				}
				c.put(text, "html of "+text)
			}
		})
	}
	wg.Wait()
	if size := held(&c); size > c.limit {
		t.Errorf("%d bytes are held, at most %d", size, c.limit)
	}
}

// held counts the bytes of both generations.
func held(c *cache) (size int) {
	for _, generation := range []map[string]string{c.young, c.old} {
		for text, html := range generation {
			size += len(text) + len(html) + entryCost
		}
	}
	return size
}

func TestRenderedTextsAreCached(t *testing.T) {
	const text = "**once** ||and|| for all"
	first := HTML(text, nil)
	if n := testing.AllocsPerRun(100, func() { HTML(text, nil) }); n > 0 {
		t.Errorf("again it allocates %v times", n)
	}
	if again := HTML(text, nil); again != first || again == "" {
		t.Errorf("first %s, then %s", first, again)
	}
}

func TestPlainTextCostsNothing(t *testing.T) {
	for _, text := range []string{
		"Shall we meet at 10:30? https://example.org/map", strings.Repeat("a [b] | c # d\n", 200),
	} {
		if n := testing.AllocsPerRun(100, func() { HTML(text, nil) }); n > 0 {
			t.Errorf("%.20q allocates %v times", text, n)
		}
	}
}

func TestCacheForgetsOnlyDeletedTexts(t *testing.T) {
	c := cache{limit: 64 << 10}
	for i := range 100 {
		c.put(strconv.Itoa(i), "html")
	}
	size := c.size
	c.forget([]string{"7", "8", "never rendered"})
	for i := range 100 {
		if _, ok := c.get(strconv.Itoa(i)); ok == (i == 7 || i == 8) {
			t.Errorf("%d is kept: %v", i, ok)
		}
	}
	if want := size - costOf("7", "html") - costOf("8", "html"); c.size != want || held(&c) != want {
		t.Errorf("size %d, held %d, want %d", c.size, held(&c), want)
	}
	for i := 0; ; i++ { // until the generation with "9" is the old one
		if _, ok := c.old["9"]; ok {
			break
		}
		c.put("filler "+strconv.Itoa(i), strings.Repeat("x", 500))
	}
	c.forget([]string{"9"})
	if _, ok := c.get("9"); ok {
		t.Error("it is kept in the old generation")
	}
}

// Whoever has read a text before it was deleted may render it afterwards.
func TestTextThatWasJustDeletedIsNotCached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache{limit: 64 << 10}
		c.forget([]string{"secret"})
		c.put("secret", "html")
		c.put("other", "html")
		if _, ok := c.get("secret"); ok {
			t.Error("it is cached")
		}
		if _, ok := c.get("other"); !ok {
			t.Error("another one is not")
		}
		time.Sleep(forgetFor)
		c.forget([]string{"later"})
		c.put("later", "html")
		if _, ok := c.get("later"); ok {
			t.Error("the next one is cached")
		}
		time.Sleep(2 * forgetFor)
		c.put("secret", "html") // somebody else says the same
		if _, ok := c.get("secret"); !ok {
			t.Error("it is never cached again")
		}
		if n := len(c.forgotten.young) + len(c.forgotten.old); n != 0 {
			t.Errorf("%d texts are remembered", n)
		}
	})
}

func TestClearedCacheIsEmpty(t *testing.T) {
	c := cache{limit: 64 << 10}
	for i := range 1000 {
		c.put(strconv.Itoa(i), strings.Repeat("x", 100))
	}
	if len(c.old) == 0 || len(c.young) == 0 {
		t.Fatal("it has one generation")
	}
	c.clear()
	if held(&c) != 0 || c.size != 0 {
		t.Errorf("size %d, held %d", c.size, held(&c))
	}
	c.put("again", "html")
	if html, ok := c.get("again"); !ok || html != "html" {
		t.Errorf("%q, %v", html, ok)
	}
}
