//go:build !linux

package torture

import (
	"errors"
	"syscall"
)

// Ailments returns what can be done to the program from outside.
func (p *Process) Ailments() []SubjectFault {
	if p.Clock != "" {
		return []SubjectFault{{Name: "clock", Begin: p.misset}}
	}
	return nil
}

func smallSegments(_, _ string, _ syscall.RawConn) error { return nil }

// MountDisk is for systems that let a program make a disk.
func MountDisk(string) (unmount func() error, err error) { return nil, errors.ErrUnsupported }
