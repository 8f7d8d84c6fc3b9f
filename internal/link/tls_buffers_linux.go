package link

import (
	"bytes"
	"crypto/tls"
	"reflect"
	"sync"
	"unsafe"
)

// crypto/tls keeps the buffers that it has once needed for as long as a connection
// lives: one for records that come, of the largest so far and at least 2 KB, as a
// handshake begins with a large one, and one for handshake messages. They are half
// of what a silent connection would take, and nothing public frees them. So
// they are reached by the names of their fields, and only between reads, while both
// are empty or hold a part of a record. If a release of Go has other fields, they
// stay as they are, and a connection takes more memory; a test tells.
var (
	recordsAt, recordsKnown   = bufferAt("rawInput")
	messagesAt, messagesKnown = bufferAt("hand")
)

// bufferAt returns where a tls.Conn has a buffer.
func bufferAt(field string) (offset uintptr, ok bool) {
	f, ok := reflect.TypeFor[tls.Conn]().FieldByName(field)
	return f.Offset, ok && f.Type == reflect.TypeFor[bytes.Buffer]()
}

// recordsOf returns the buffer for records that come; nil if it is not known.
func recordsOf(t *tls.Conn) *bytes.Buffer {
	if !recordsKnown {
		return nil
	}
	return (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(t), recordsAt))
}

// dropMessages frees the buffer for handshake messages, unless it holds some.
func dropMessages(t *tls.Conn) {
	if !messagesKnown {
		return
	}
	if b := (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(t), messagesAt)); b.Len() == 0 {
		*b = bytes.Buffer{}
	}
}

// recordRoom is what a lent buffer has room for: the largest record that crypto/tls
// accepts, and bytes.MinRead, without which it would be enlarged.
const recordRoom = 5 + 16<<10 + 2<<10 + bytes.MinRead

var recordRooms = sync.Pool{New: func() any { return new([recordRoom]byte) }}

// lendRecords has t read records into a large buffer until returnRecords.
func (k *tlsTransport) lendRecords() {
	b := recordsOf(k.tls)
	if b == nil || k.lent != nil {
		return
	}
	k.lent = recordRooms.Get().(*[recordRoom]byte)
	held := append(k.lent[:0], b.Bytes()...)
	*b = *bytes.NewBuffer(held)
}

// returnRecords takes the large buffer back. What it holds, the beginning of a
// record, is kept in as little as it needs.
func (k *tlsTransport) returnRecords() {
	if k.lent == nil {
		return
	}
	b := recordsOf(k.tls)
	*b = *bytes.NewBuffer(append([]byte(nil), b.Bytes()...))
	recordRooms.Put(k.lent)
	k.lent = nil
	dropMessages(k.tls)
}
