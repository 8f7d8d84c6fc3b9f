package netns

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// newNamespace makes a network namespace. It lives as long as the file is open, or something else uses it.
func newNamespace() (file *os.File, err error) {
	err = onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		file, err = os.Open(ofThread)
		return err
	})
	return file, err
}

// within calls f on a thread in a namespace.
func within(namespace *os.File, f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("setns", err)
		}
		return f()
	})
}

const ofThread = "/proc/thread-self/ns/net"

// onThread calls f on a thread that nobody else uses meanwhile, and brings the thread back to its namespace.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		own, err := os.Open(ofThread)
		if err == nil {
			err = f()
			if unix.Setns(int(own.Fd()), unix.CLONE_NEWNET) != nil {
				done <- err
				return // still locked, so the thread ends
			}
			_ = own.Close() // nothing was written
		}
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}
