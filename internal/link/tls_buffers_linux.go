package link

import (
	"bytes"
	"crypto/tls"
	"reflect"
	"sync"
	"unsafe"
)

// crypto/tls keeps two buffers for as long as a connection lives: one for records
// that it reads, as large as the largest so far and at least 2 KB after a
// handshake, and one for handshake messages. They are half of the memory of a
// silent connection, and no public function frees them. So this file finds them
// by the names of their fields, and changes them only between reads, when they are
// empty or hold a part of a record. If a release of Go has other fields, the
// buffers stay as they are and a connection needs more memory; a test fails then.
var (
	recordsAt, recordsKnown   = bufferAt("rawInput")
	messagesAt, messagesKnown = bufferAt("hand")
)

// bufferAt returns the offset of a buffer in a tls.Conn.
func bufferAt(field string) (offset uintptr, ok bool) {
	f, ok := reflect.TypeFor[tls.Conn]().FieldByName(field)
	return f.Offset, ok && f.Type == reflect.TypeFor[bytes.Buffer]()
}

// recordsOf returns the buffer for records of t; nil if its place is unknown.
func recordsOf(t *tls.Conn) *bytes.Buffer {
	if !recordsKnown {
		return nil
	}
	return (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(t), recordsAt))
}

// dropMessages frees the buffer for handshake messages if it is empty.
func dropMessages(t *tls.Conn) {
	if !messagesKnown {
		return
	}
	if b := (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(t), messagesAt)); b.Len() == 0 {
		*b = bytes.Buffer{}
	}
}

// recordRoom is the size of a pooled buffer: the largest record that crypto/tls
// accepts, and bytes.MinRead, without which bytes.Buffer would allocate a larger
// one.
const recordRoom = 5 + 16<<10 + 2<<10 + bytes.MinRead

var recordRooms = sync.Pool{New: func() any { return new([recordRoom]byte) }}

// lendRecords makes crypto/tls read records into a pooled buffer until
// returnRecords.
func (k *tlsTransport) lendRecords() {
	b := recordsOf(k.tls)
	if b == nil || k.lent != nil {
		return
	}
	k.lent = recordRooms.Get().(*[recordRoom]byte)
	held := append(k.lent[:0], b.Bytes()...)
	*b = *bytes.NewBuffer(held)
}

// returnRecords returns the pooled buffer. The beginning of a record in it is
// copied to a buffer of its size.
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
