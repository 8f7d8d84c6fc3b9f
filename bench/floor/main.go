//go:build unix

// Command floor measures the work that no chat server can avoid: for each message of
// a member, a bare loop writes the same bytes to each member's socket, with one
// system call each, and does nothing else. With the files of a certificate and its
// key as arguments it encrypts for each member first. See ../README.md.
package main

import (
	"bufio"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"unsafe"
)

type room struct {
	mu      sync.Mutex
	members []member
}

// A member is a socket, with its TLS connection if the server encrypts.
type member struct {
	fd  int
	tls *tls.Conn
}

// write writes p to the member's socket, waiting if it is full.
func (m member) write(p []byte) {
	if m.tls != nil {
		m.tls.Write(p) // who is gone is seen to by its own goroutine
		return
	}
	write(m.fd, p)
}

// A rawConn lies beneath a TLS connection and writes as the plain floor does.
type rawConn struct {
	net.Conn
	fd int // 0: not known yet
}

func (c *rawConn) Write(p []byte) (int, error) {
	if c.fd == 0 {
		return c.Conn.Write(p)
	}
	write(c.fd, p)
	return len(p), nil
}

// A rawListener has rawConns accepted.
type rawListener struct{ net.Listener }

func (l rawListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &rawConn{Conn: c}, nil
}

type floor struct {
	mu    sync.Mutex
	rooms map[string]*room
}

func (f *floor) room(name string) *room {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rooms[name] == nil {
		f.rooms[name] = &room{}
	}
	return f.rooms[name]
}

func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		log.Fatal(err)
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455 §1.3
	const welcome = `{"op":"ok"}`
	answer := fmt.Sprintf(
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
			"%s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	m := f.room(r.URL.Query().Get("room"))
	m.mu.Lock()
	_, err = io.WriteString(nc, answer+"\x81"+string(rune(len(welcome)))+welcome)
	own := member{}
	if t, ok := nc.(*tls.Conn); ok {
		raw := t.NetConn().(*rawConn)
		raw.fd = descriptor(raw.Conn)
		own.tls, own.fd = t, raw.fd
	} else {
		own.fd = descriptor(nc)
	}
	m.members = append(m.members, own)
	m.mu.Unlock()
	if err == nil {
		go serve(m, own.fd, nc, rw.Reader) // so that the request's memory can go
	}
}

// descriptor returns the number of nc's socket. The runtime made it one that
// does not block.
func descriptor(nc net.Conn) (n int) {
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { n = int(fd) })
	}
	if err != nil {
		log.Fatal(err)
	}
	return n
}

func serve(m *room, fd int, nc net.Conn, early *bufio.Reader) {
	in, out := make([]byte, 16<<10), []byte(nil)
	held, _ := io.ReadFull(early, in[:early.Buffered()])
	for {
		out, held = answer(out[:0], in, held)
		if len(out) > 0 {
			m.mu.Lock()
			for _, to := range m.members {
				to.write(out)
			}
			m.mu.Unlock()
		}
		n, err := nc.Read(in[held:])
		if err != nil {
			m.mu.Lock()
			m.members = slices.DeleteFunc(m.members, func(other member) bool { return other.fd == fd })
			nc.Close()
			m.mu.Unlock()
			return
		}
		held += n
	}
}

// answer appends to out a server's frame for each whole text frame at the start
// of in, whose mask must be 0, and moves what is left over to the front.
func answer(out, in []byte, held int) ([]byte, int) {
	b := in[:held]
	for len(b) >= 8 {
		size, header := int(b[1]&0x7f), 2
		if size == 126 {
			size, header = int(binary.BigEndian.Uint16(b[2:])), 4
		}
		if size > len(in)-8 {
			log.Fatal("a frame that is too large for the floor: ", size)
		}
		if len(b) < header+4+size {
			break
		}
		if b[0] == 0x81 {
			start := len(out)
			out = append(out, b[:header]...)
			out[start+1] &= 0x7f // a server's frames have no mask
			out = append(out, b[header+4:header+4+size]...)
		}
		b = b[header+4+size:]
	}
	return out, copy(in, b)
}

// write writes p to a socket, waiting if it is full.
func write(fd int, p []byte) {
	for len(p) > 0 {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])),
			uintptr(len(p)))
		switch errno {
		case 0:
			p = p[n:]
		case syscall.EAGAIN, syscall.EINTR:
			runtime.Gosched()
		default:
			return // gone; its own goroutine sees to it
		}
	}
}

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	f := &floor{rooms: map[string]*room{}}
	if len(os.Args) < 3 {
		fmt.Printf("listening on http://%s\n", ln.Addr())
		log.Fatal(http.Serve(ln, f))
	}
	fmt.Printf("listening on https://%s\n", ln.Addr())
	quiet := log.New(io.Discard, "", 0) // handshakes that fail are not of interest
	log.Fatal((&http.Server{Handler: f, ErrorLog: quiet}).ServeTLS(rawListener{ln}, os.Args[1], os.Args[2]))
}
