package sqlite

import "strconv"

// A fileState is what the file system knows of a file beside its contents. Times are nanoseconds
// since 1970; values that a system does not know are 0.
type fileState struct {
	Inode uint64 `json:"inode"`
	// only if Born is unknown, because it changes when disks are mounted in another order
	Device  uint64 `json:"device"`
	Born    int64  `json:"born"`    // needed because the inode number of a removed file is used again
	Changed int64  `json:"changed"` // ctime: of data, mode, owner or links; no program can set it
	Written int64  `json:"written"` // mtime: of data, or set by a program
}

// sameFile reports whether a and b are states of the same file.
func (a fileState) sameFile(b fileState) bool {
	return a.Inode == b.Inode && a.Device == b.Device && a.Born == b.Born
}

// append appends f as JSON.
func (f fileState) append(b []byte) []byte {
	b = strconv.AppendUint(append(b, `{"inode":`...), f.Inode, 10)
	b = strconv.AppendUint(append(b, `,"device":`...), f.Device, 10)
	b = strconv.AppendInt(append(b, `,"born":`...), f.Born, 10)
	b = strconv.AppendInt(append(b, `,"changed":`...), f.Changed, 10)
	b = strconv.AppendInt(append(b, `,"written":`...), f.Written, 10)
	return append(b, '}')
}
