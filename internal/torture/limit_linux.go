package torture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"

	"golang.org/x/sys/unix"
)

// Ailments returns what can be done to the program from outside: nothing of it
// knows.
func (p *Process) Ailments() []SubjectFault {
	can := []SubjectFault{{
		Name:  "limit",
		Begin: func(*rand.Rand) error { return limitFiles(p.PID(), 4096) },
		End:   func(*rand.Rand) error { return limitFiles(p.PID(), -1) },
	}}
	if p.OwnDisk {
		can = append(can, SubjectFault{
			Name:  "full",
			Begin: func(*rand.Rand) error { return p.fill() },
			End:   func(*rand.Rand) error { return p.resize(diskSize) },
		})
	}
	if p.Clock != "" {
		can = append(can, SubjectFault{Name: "clock", Begin: p.misset})
	}
	return can
}

// limitFiles lets a process make no file larger than so many bytes; a negative
// number is no limit. To the process it is a full disk.
func limitFiles(pid int, bytes int64) error {
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		return fmt.Errorf("limit of the server's files: %w", err)
	}
	limit.Cur = limit.Max
	if bytes >= 0 {
		limit.Cur = uint64(bytes)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		return fmt.Errorf("limit the server's files: %w", err)
	}
	return nil
}

// smallSegments keeps the server's socket buffer small: the kernel sizes it by
// what the other side takes at once.
func smallSegments(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 536) // without it, the line is only less full
	})
}

const diskSize = 4 << 30 // bytes; they are memory only once they are used

// MountDisk makes dir a disk of its own, in memory, which can be made full. It
// needs the right to mount. Unmount it by the function that it returns.
func MountDisk(dir string) (unmount func() error, err error) {
	if err := unix.Mount("parley-torture", dir, "tmpfs", 0, fmt.Sprintf("mode=0700,size=%d", diskSize)); err != nil {
		return nil, fmt.Errorf("mount a disk at %s: %w", dir, err)
	}
	return func() error { return unix.Unmount(dir, 0) }, nil
}

// fill makes the disk as large as what is on it.
func (p *Process) fill() error {
	for { // what is written meanwhile makes it too small, which is refused
		var is unix.Statfs_t
		if err := unix.Statfs(p.Data, &is); err != nil {
			return fmt.Errorf("size of the disk: %w", err)
		}
		err := p.resize((int64(is.Blocks) - int64(is.Bfree)) * int64(is.Bsize))
		if !errors.Is(err, unix.EINVAL) {
			return err
		}
	}
}

func (p *Process) resize(bytes int64) error {
	if err := unix.Mount("parley-torture", p.Data, "tmpfs", unix.MS_REMOUNT, fmt.Sprintf("size=%d", bytes)); err != nil {
		return fmt.Errorf("resize the disk: %w", err)
	}
	return nil
}
