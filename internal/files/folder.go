package files

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// FolderLock is the name of the file by which a process locks a data folder.
const FolderLock = "parley.lock"

// TakeFolder opens the data folder dir, which it makes if needed, and locks it until lock is closed. It fails with a
// sentence for the operator if another process uses the folder.
func TakeFolder(dir string) (folder *os.Root, lock *os.File, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("making the data folder: %w", err)
	}
	if folder, err = os.OpenRoot(dir); err != nil {
		return nil, nil, fmt.Errorf("opening the data folder %s: %w", dir, err)
	}
	if lock, err = folder.OpenFile(FolderLock, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("locking the data folder %s: %w", dir, err), folder.Close())
	}
	err = Lock(lock)
	for range 25 { // a process that has just been killed may still hold the lock
		if err == nil {
			return folder, lock, nil
		}
		time.Sleep(20 * time.Millisecond)
		err = Lock(lock)
	}
	err = fmt.Errorf(
		"the data folder %s is in use by another parley (%w); stop that one, or choose another folder", dir, err)
	return nil, nil, errors.Join(err, lock.Close(), folder.Close())
}
