package durability

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// A disk is a file system of one folder that forgets unsynced writes when the power goes, and that
// can be made to fail.
type disk struct {
	fs.Inode

	mu      sync.Mutex
	off     bool // the power is off: nothing works
	lies    bool // syncing does nothing and reports success
	forgets bool // a power cut leaves nothing unsynced, not even by chance
	// Only syncing the folder makes names durable. Otherwise syncing anything does, as with a
	// journal for all files.
	apart   bool
	noWrite syscall.Errno // the error of writes; 0: none
	only    string        // the one file on which writes fail; "": all
	// The error of syncs. The bytes are then never written, and count as written, as on Linux.
	noSync  syscall.Errno
	names   map[string]*diskFile // at present
	durable map[string]*diskFile // when last synced
	inodes  uint64
	syncs   int
}

// A diskFile is a file: its content, what a power cut would leave, and the changes between the two.
type diskFile struct {
	fs.Inode
	disk    *disk
	inode   uint64
	data    []byte
	synced  []byte
	pending []change
}

// A change is a write or, without data, a new size.
type change struct {
	data []byte
	at   int64
}

// mountDisk mounts a disk until the test ends. It skips the test if mounting is not allowed.
func mountDisk(t *testing.T) (*disk, string) {
	t.Helper()
	d := &disk{names: map[string]*diskFile{}, durable: map[string]*diskFile{}, inodes: 1}
	dir := t.TempDir()
	server, err := fs.Mount(dir, d,
		&fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "parley-test"}})
	if err != nil {
		t.Skipf("no file system of one's own can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return d, dir
}

// set changes how the disk fails.
func (d *disk) set(change func(*disk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

// cut cuts the power. Each unsynced write survives or not by chance, in any order.
func (d *disk) cut(rnd *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
	chance := []float64{0, 0, 0.5, 1}[rnd.IntN(4)]
	if d.forgets {
		chance = 0
	}
	d.names = map[string]*diskFile{}
	for name, f := range d.durable {
		d.names[name] = f
		for _, c := range f.pending {
			if rnd.Float64() < chance {
				f.synced = c.apply(f.synced)
			}
		}
		f.pending = nil
		f.data = slices.Clone(f.synced)
	}
}

func (c change) apply(b []byte) []byte {
	end := c.at + int64(len(c.data))
	if c.data == nil && end < int64(len(b)) {
		return b[:end]
	}
	if end > int64(len(b)) {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[c.at:], c.data)
	return b
}

// sync makes f and all names durable. f is nil for the folder.
func (d *disk) sync(f *diskFile) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.off:
		return syscall.EIO
	case d.noSync != 0:
		if f != nil {
			f.pending = nil
		}
		return d.noSync
	case d.lies:
		return 0
	}
	d.syncs++
	if f == nil || !d.apart {
		d.durable = maps.Clone(d.names)
	}
	if f != nil {
		for _, c := range f.pending {
			f.synced = c.apply(f.synced)
		}
		f.pending = nil
	}
	return 0
}

// write adds a change to f.
func (d *disk) write(f *diskFile, c change) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.off:
		return syscall.EIO
	case d.refuses(f):
		return d.noWrite
	}
	f.data = c.apply(f.data)
	f.pending = append(f.pending, c)
	return 0
}

// refuses returns the error of a write to f, or to the folder if f is nil. The caller holds mu.
func (d *disk) refuses(f *diskFile) bool {
	return d.noWrite != 0 && (d.only == "" || d.names[d.only] == f)
}

// rename gives a file another name; an empty name stands for none.
func (d *disk) rename(from, to string) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.names[from]
	switch {
	case d.off:
		return syscall.EIO
	case f == nil:
		return syscall.ENOENT
	case d.refuses(f):
		return d.noWrite
	}
	delete(d.names, from)
	if to != "" {
		d.names[to] = f
	}
	return 0
}

func (d *disk) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.names[name]
	if f == nil {
		return nil, syscall.ENOENT
	}
	f.attr(&out.Attr)
	return d.node(ctx, f), 0
}

func (d *disk) node(ctx context.Context, f *diskFile) *fs.Inode {
	return d.NewInode(ctx, f, fs.StableAttr{Mode: fuse.S_IFREG, Ino: f.inode})
}

func (d *disk) Create(ctx context.Context, name string, _, _ uint32,
	out *fuse.EntryOut,
) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off || d.refuses(nil) {
		return nil, nil, 0, max(d.noWrite, syscall.EIO)
	}
	d.inodes++
	f := &diskFile{disk: d, inode: d.inodes}
	d.names[name] = f
	f.attr(&out.Attr)
	return d.node(ctx, f), nil, 0, 0
}

func (d *disk) Unlink(_ context.Context, name string) syscall.Errno { return d.rename(name, "") }

func (d *disk) Rename(_ context.Context, from string, _ fs.InodeEmbedder, to string, _ uint32) syscall.Errno {
	return d.rename(from, to)
}

func (d *disk) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var entries []fuse.DirEntry
	for name, f := range d.names {
		entries = append(entries, fuse.DirEntry{Mode: fuse.S_IFREG, Name: name, Ino: f.inode})
	}
	return fs.NewListDirStream(entries), 0
}

func (d *disk) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = fuse.S_IFDIR | 0o700
	return 0
}

func (d *disk) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno { return d.sync(nil) }

func (f *diskFile) attr(out *fuse.Attr) {
	out.Mode, out.Ino, out.Nlink, out.Size = fuse.S_IFREG|0o600, f.inode, 1, uint64(len(f.data))
}

func (f *diskFile) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.attr(&out.Attr)
	return 0
}

func (f *diskFile) Setattr(ctx context.Context, h fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		if errno := f.disk.write(f, change{at: int64(size)}); errno != 0 {
			return errno
		}
	}
	return f.Getattr(ctx, h, out)
}

func (f *diskFile) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if flags&syscall.O_ACCMODE != syscall.O_RDONLY && f.disk.noWrite == syscall.EROFS && f.disk.refuses(f) {
		return nil, 0, syscall.EROFS
	}
	return nil, 0, 0
}

func (f *diskFile) Read(_ context.Context, _ fs.FileHandle, dst []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.off {
		return nil, syscall.EIO
	}
	n := 0
	if at < int64(len(f.data)) {
		n = copy(dst, f.data[at:])
	}
	return fuse.ReadResultData(dst[:n]), 0
}

func (f *diskFile) Write(_ context.Context, _ fs.FileHandle, b []byte, at int64) (uint32, syscall.Errno) {
	if errno := f.disk.write(f, change{data: slices.Clone(b), at: at}); errno != 0 {
		return 0, errno
	}
	return uint32(len(b)), 0
}

func (f *diskFile) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno { return f.disk.sync(f) }
