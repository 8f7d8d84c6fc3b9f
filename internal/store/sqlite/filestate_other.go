//go:build !linux && !darwin && !freebsd && !netbsd && !windows

package sqlite

import "os"

// stateOf returns the state of the file at path.
func stateOf(path string) (fileState, error) {
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}, err
	}
	return fileState{Written: info.ModTime().UnixNano()}, nil
}

// bootID would return a word that is another one each time the machine starts.
func bootID() string { return "" }
