package torture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Faults returns the faults that can be injected into the program from outside, without its help.
func (p *Process) Faults() []SubjectFault {
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

// limitFiles sets the greatest size of the files that a process may write, in bytes; a negative
// number removes the limit. To the process, reaching the limit looks like a full disk.
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

// endsWithUs lets a program end when this process has ended, also if that was killed.
func endsWithUs(program *exec.Cmd) {
	// The signal comes when the thread ends that has started the program. Threads of Go stay.
	program.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// smallSegments keeps the server's socket buffer small: the kernel sizes it by the other side's
// segments.
func smallSegments(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		// Without it, the connection is only less full
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 536)
	})
}

const diskSize = 4 << 30 // bytes; they take memory only when they are used

// MountDisk mounts a disk in memory on dir, for tests that fill a disk. It fails without the
// permission to mount. Call unmount when done.
func MountDisk(dir string) (unmount func() error, err error) {
	if err := unix.Mount("parley-torture", dir, "tmpfs", 0, fmt.Sprintf("mode=0700,size=%d", diskSize)); err != nil {
		return nil, fmt.Errorf("mount a disk at %s: %w", dir, err)
	}
	return func() error { return unix.Unmount(dir, 0) }, nil
}

// fill shrinks the disk to the size of its content.
func (p *Process) fill() error {
	for { // a write meanwhile makes the size too small, which the kernel refuses
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
	if err := unix.Mount("parley-torture", p.Data, "tmpfs", unix.MS_REMOUNT,
		fmt.Sprintf("size=%d", bytes)); err != nil {
		return fmt.Errorf("resize the disk: %w", err)
	}
	return nil
}
