//go:build !linux

package torture

import (
	"errors"
	"os/exec"
	"syscall"
)

// Faults returns the faults that can be injected into the program from outside.
func (p *Process) Faults() []SubjectFault {
	if p.Clock != "" {
		return []SubjectFault{{Name: "clock", Begin: p.misset}}
	}
	return nil
}

func endsWithUs(*exec.Cmd) {}

func smallSegments(_, _ string, _ syscall.RawConn) error { return nil }

// MountDisk fails: this system does not let a program make a disk.
func MountDisk(string) (unmount func() error, err error) { return nil, errors.ErrUnsupported }
