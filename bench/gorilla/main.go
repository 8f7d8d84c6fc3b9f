// Command gorilla is the chat hub of the textbooks: a map of rooms under one
// mutex, and WriteJSON to each member in turn. See ../README.md.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// writeTimeout is how long one member may hold everybody up; the library's
// examples use the same.
const writeTimeout = 10 * time.Second

type person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type message struct {
	Op   string `json:"op"`
	Room string `json:"room,omitempty"`
	Kind string `json:"kind,omitempty"`
	Seq  int    `json:"seq,omitempty"`
	At   string `json:"at,omitempty"`
	From person `json:"from"`
	Text string `json:"text"`
}

type hub struct {
	mu    sync.Mutex
	rooms map[string]map[*websocket.Conn]bool
}

var upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	room := r.URL.Query().Get("room")
	if err := h.join(room, conn); err != nil {
		conn.Close()
		return
	}
	defer h.leave(room, conn)
	for {
		var m message
		if conn.ReadJSON(&m) != nil {
			return
		}
		h.broadcast(room, m)
	}
}

func (h *hub) join(room string, conn *websocket.Conn) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rooms[room] == nil {
		h.rooms[room] = map[*websocket.Conn]bool{}
	}
	h.rooms[room][conn] = true
	return conn.WriteMessage(websocket.TextMessage, []byte(`{"op":"ok"}`))
}

func (h *hub) broadcast(room string, m message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for conn := range h.rooms[room] {
		conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err := conn.WriteJSON(m); err != nil {
			conn.Close()
			delete(h.rooms[room], conn)
		}
	}
}

func (h *hub) leave(room string, conn *websocket.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	conn.Close()
	delete(h.rooms[room], conn)
}

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", ln.Addr())
	log.Fatal(http.Serve(ln, &hub{rooms: map[string]map[*websocket.Conn]bool{}}))
}
