package room

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

func TestFollowersAreToldOfEachEventBeforeItsSender(t *testing.T) {
	var told []string
	follower := func(name string) Follower {
		return func(c chat.Commit) {
			told = append(told, fmt.Sprint(name, " ", c.Event.Seq, c.DeletedTexts))
			if name == "first" {
				panic("a mistake") // that ends nothing
			}
		}
	}
	cfg := Config{Followers: []Follower{follower("first"), follower("second")}}
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		post := func(d chat.Draft) {
			t.Helper()
			d.Room, d.From = "lobby", ada
			err := b.Post(d, func(c chat.Commit) {
				told = append(told, fmt.Sprint("sender ", c.Event.Seq, " ", c.Repeated, " ", c.Err))
			})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		post(chat.Draft{Text: "one", Nonce: "a"})
		post(chat.Draft{Text: "one", Nonce: "a"}) // nothing new
		b.log.Fail(&chat.Error{Code: chat.Unavailable, Message: "the disk is full"})
		post(chat.Draft{Text: "two"})
		b.log.Fail(nil)
		post(chat.Draft{Kind: chat.Delete, Target: 1})
	})
	want := []string{
		"first 1 []", "second 1 []", "sender 1 false <nil>",
		"sender 1 true <nil>",
		"sender 0 false unavailable: the disk is full",
		"first 2 [one]", "second 2 [one]", "sender 2 false <nil>",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told:\n%s\nwant:\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
}

// A page that has events which have not arrived waits for them, and is refused if they do not come.
func TestPageIsNotAheadOfTheRoom(t *testing.T) {
	for name, arrives := range map[string]bool{"they arrive": true, "they do not": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{}, func(t *testing.T, b *bench) {
				rd, _ := b.join(&ada, newSlate())
				b.sayMany(1)
				stored := make(chan chat.Commit, 1)
				b.log.Append(chat.Draft{Room: "lobby", From: ada, Text: "late"}, func(c chat.Commit) { stored <- c })
				late := <-stored // nobody has told the hub
				if arrives {
					time.AfterFunc(arrivalTimeout/2, func() { b.Arrive(late, nil) })
				}
				began := time.Now()
				q, err := b.NewQuery(by(&grace))
				if err != nil {
					t.Fatal(err)
				}
				page, err := q.History(t.Context(), "lobby", chat.PageQuery{})
				_, head, _, err2 := q.Events(t.Context(), "lobby", 0, 0)
				took := time.Since(began)
				if arrives &&
					(err != nil || err2 != nil || page.Head != 2 || head != 2 || took < arrivalTimeout/2) {
					t.Errorf("%v, %v, after %v: %+v", err, err2, took, page)
				}
				if !arrives && (chat.CodeOf(err) != chat.Unavailable || chat.CodeOf(err2) != chat.Unavailable) {
					t.Errorf("%v, %v: %+v", err, err2, page)
				}
				rd.Leave()
			})
		})
	}
}
