package sqlite

import "strconv"

// A fileState is what the file system knows of a file beside what is in it.
// Times are nanoseconds since 1970; what a system does not know is 0.
type fileState struct {
	Inode   uint64 `json:"inode"`
	Device  uint64 `json:"device"`  // only where Born is unknown: it changes when disks are mounted in another order
	Born    int64  `json:"born"`    // an inode's number alone is given to the next file as soon as its file is gone
	Changed int64  `json:"changed"` // its data, mode, owner or links; no program can set this time
	Written int64  `json:"written"` // its data, or what a program has set
}

// sameFile reports whether a and b are of the same file, whatever was done to it.
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
