// Command gws is a careful hub: a lock for each room, each message framed once
// by the library's broadcaster, and a queue for each connection, so that nobody
// waits for a slow member. See ../README.md.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"

	"github.com/lxzan/gws"
)

type room struct {
	mu      sync.Mutex // held while a message is queued, so that all see one order
	members map[*gws.Conn]bool
}

type hub struct {
	gws.BuiltinEventHandler
	mu    sync.Mutex
	rooms map[string]*room
}

func (h *hub) room(name string) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rooms[name] == nil {
		h.rooms[name] = &room{members: map[*gws.Conn]bool{}}
	}
	return h.rooms[name]
}

func roomOf(c *gws.Conn) *room {
	r, _ := c.Session().Load("room")
	return r.(*room)
}

func (h *hub) OnOpen(c *gws.Conn) {
	r := roomOf(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[c] = true
	c.WriteAsync(gws.OpcodeText, []byte(`{"op":"ok"}`), nil)
}

func (h *hub) OnClose(c *gws.Conn, _ error) {
	r := roomOf(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.members, c)
}

func (h *hub) OnPing(c *gws.Conn, payload []byte) { c.WritePong(payload) }

func (h *hub) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	b := gws.NewBroadcaster(gws.OpcodeText, m.Bytes())
	defer b.Close()
	r := roomOf(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	for member := range r.members {
		b.Broadcast(member)
	}
}

func main() {
	h := &hub{rooms: map[string]*room{}}
	upgrader := gws.NewUpgrader(h, &gws.ServerOption{
		Recovery: gws.Recovery,
		Authorize: func(r *http.Request, session gws.SessionStorage) bool {
			session.Store("room", h.room(r.URL.Query().Get("room")))
			return true
		},
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", ln.Addr())
	log.Fatal(http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r)
		if err != nil {
			return // Upgrade has answered
		}
		go conn.ReadLoop() // so that the request's memory can go
	})))
}
