package link

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ringSize is how many connections one system call sends to. With more, the time
// for which their Outbounds are locked costs more than the saved calls.
const ringSize = 32

// A ring is an io_uring (io_uring_setup(2)): one system call makes several sends,
// one after another and without waiting. Only one goroutine may use it.
type ring struct {
	fd       int
	sqMemory []byte
	sqes     []byte

	tail, mask     *uint32 // of the submission queue
	head, doneTail *uint32 // of the completion queue
	doneMask       *uint32 // of the completion queue
	array          unsafe.Pointer
	cqes           unsafe.Pointer

	asked int // sends since the last enter
}

// The structures of linux/io_uring.h that a ring uses.
type (
	ringParams struct {
		sqEntries, cqEntries, flags, threadCPU, threadIdle, features, wqFD uint32
		reserved                                                           [3]uint32
		sq                                                                 ringOffsets
		cq                                                                 ringOffsets
	}
	// ringOffsets are io_sqring_offsets and io_cqring_offsets: the last of the
	// first three are alike, the rest have other names.
	ringOffsets struct {
		head, tail, mask, entries uint32
		fifth, sixth, seventh     uint32 // sq: flags, dropped, array; cq: overflow, cqes, flags
		reserved                  uint32
		userAddress               uint64
	}
	submission struct {
		opcode, flags uint8
		priority      uint16
		fd            int32
		offset        uint64
		address       uint64
		length        uint32
		messageFlags  uint32
		userData      uint64
		rest          [3]uint64
	}
	completion struct {
		userData uint64
		result   int32
		flags    uint32
	}
)

const (
	ringOffSQ, ringOffCQ, ringOffSQEs = 0, 0x8000000, 0x10000000
	ringFeatureSingleMap              = 1
	ringOpSend                        = 26
	ringEnterGetEvents                = 1
)

// newRing returns a ring, or an error if the system has no io_uring or does not
// allow it.
func newRing() (*ring, error) {
	var p ringParams
	fd, _, errno := syscall.Syscall(unix.SYS_IO_URING_SETUP, ringSize, uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("io_uring: %w", errno)
	}
	r := &ring{fd: int(fd)}
	unix.CloseOnExec(r.fd)
	if err := errors.Join(r.mapMemory(&p), r.try()); err != nil {
		r.close()
		return nil, fmt.Errorf("io_uring: %w", err)
	}
	return r, nil
}

func (r *ring) mapMemory(p *ringParams) (err error) {
	const protection, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	sqSize := int(p.sq.seventh + p.sqEntries*4)
	cqSize := int(p.cq.sixth + p.cqEntries*uint32(unsafe.Sizeof(completion{})))
	if p.features&ringFeatureSingleMap == 0 {
		return errors.New("a kernel before 5.4")
	}
	if r.sqMemory, err = unix.Mmap(r.fd, ringOffSQ, max(sqSize, cqSize), protection, flags); err != nil {
		return err
	}
	sqesSize := int(p.sqEntries) * int(unsafe.Sizeof(submission{}))
	if r.sqes, err = unix.Mmap(r.fd, ringOffSQEs, sqesSize, protection, flags); err != nil {
		return err
	}
	at := func(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.sqMemory[offset])) }
	r.tail, r.mask, r.array = at(p.sq.tail), at(p.sq.mask), unsafe.Pointer(at(p.sq.seventh))
	r.head, r.doneTail, r.doneMask, r.cqes = at(p.cq.head), at(p.cq.tail), at(p.cq.mask), unsafe.Pointer(at(p.cq.sixth))
	return nil
}

// probe is the byte that try sends. It is not on a stack, as stacks may move.
var probe = []byte{0}

// try sends one byte to find out whether the kernel knows and allows sends.
func (r *ring) try() error {
	if r.tail == nil {
		return nil // mapMemory has failed
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	r.send(pair[0], probe)
	var results [ringSize]int32
	if err := r.enter(&results); err != nil {
		return err
	}
	if results[0] != 1 {
		return fmt.Errorf("a send gives %d", results[0])
	}
	return nil
}

// send adds a send of p, which enter makes. Until then p must not change, must stay
// referenced and must not be on a stack. The ring has room for ringSize sends.
func (r *ring) send(fd int, p []byte) {
	i := *r.tail & *r.mask
	s := (*submission)(unsafe.Pointer(&r.sqes[uintptr(i)*unsafe.Sizeof(submission{})]))
	*s = submission{
		opcode: ringOpSend, fd: int32(fd),
		address: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(p)))), length: uint32(len(p)),
		messageFlags: unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL, userData: uint64(r.asked),
	}
	*(*uint32)(unsafe.Add(r.array, i*4)) = i
	atomic.StoreUint32(r.tail, *r.tail+1)
	r.asked++
}

// enter makes the sends. results has one number for each, in order: the bytes that
// were sent, or the negative number of an error. As no send waits, the calls are
// raw: the Go scheduler is not told. After an error the ring cannot be used any
// more, and sends whose outcome is unknown have the result notDone.
func (r *ring) enter(results *[ringSize]int32) error {
	asked, submitted, done := r.asked, 0, 0
	r.asked = 0
	for i := range asked {
		results[i] = notDone
	}
	for tries := 0; done < asked; tries++ {
		n, _, errno := syscall.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(asked-submitted),
			uintptr(asked-done), ringEnterGetEvents, 0, 0)
		switch errno {
		case 0:
			submitted += int(n)
		case unix.EINTR:
		case unix.EAGAIN, unix.EBUSY: // the kernel has no memory for requests now
			if tries >= maxTries {
				return errno
			}
		default:
			return errno
		}
		head := *r.head
		for tail := atomic.LoadUint32(r.doneTail); head != tail; head++ {
			c := (*completion)(unsafe.Add(r.cqes, uintptr(head&*r.doneMask)*unsafe.Sizeof(completion{})))
			results[c.userData] = c.result
			done++
		}
		atomic.StoreUint32(r.head, head)
	}
	return nil
}

// maxTries limits how often enter retries when the kernel has no memory: the
// Outbounds of the batch are locked until it returns.
const maxTries = 100

// notDone is a number that no send returns.
const notDone = -1 << 31

func (r *ring) close() {
	for _, memory := range [][]byte{r.sqMemory, r.sqes} {
		if memory != nil {
			unix.Munmap(memory)
		}
	}
	unix.Close(r.fd)
	runtime.KeepAlive(r)
}
