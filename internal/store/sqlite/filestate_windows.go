package sqlite

import (
	"os"

	"golang.org/x/sys/windows"
)

// stateOf returns the state of the file at path.
func stateOf(path string) (fileState, error) {
	f, err := os.Open(path)
	if err != nil {
		return fileState{}, err
	}
	defer f.Close()
	var found windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &found); err != nil {
		return fileState{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return fileState{
		Inode:  uint64(found.FileIndexHigh)<<32 | uint64(found.FileIndexLow),
		Device: uint64(found.VolumeSerialNumber),
		Born:   found.CreationTime.Nanoseconds(),
	}, nil
}

// bootID returns "": there is no such word.
func bootID() string { return "" }
