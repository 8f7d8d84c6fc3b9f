package sqlite

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

var disks atomic.Int64

// A disk is a VFS under SQLite that can be broken, and that knows what of each
// file would be left after a power cut. It is the usual VFS with a few functions
// put before its own.
type disk struct {
	name       string
	writeCode  atomic.Int32 // what writing fails with: an SQLite result code; 0: it works
	syncCode   atomic.Int32 // likewise syncing
	only       atomic.Pointer[failing]
	beforeSync func() // called on the goroutine that syncs

	mu      sync.Mutex
	paths   map[uintptr]string  // of open files
	synced  map[string][]byte   // what each file held when it was last synced
	methods map[uintptr]uintptr // from the usual methods to ours

	kept []any // functions that SQLite holds as addresses, which the garbage collector does not see
}

// A failing file is one that cannot be synced.
type failing struct {
	name string
	code int32 // what that fails with
}

// fail has syncing one file fail; with code 0 none.
func (d *disk) fail(name string, code int32) {
	if code == 0 {
		d.only.Store(nil)
		return
	}
	d.only.Store(&failing{name, code})
}

// The functions of a VFS and of a file that a disk replaces.
type (
	openFunc   = func(tls *libc.TLS, vfs, path, file uintptr, flags int32, outFlags uintptr) int32
	deleteFunc = func(tls *libc.TLS, vfs, path uintptr, syncFolder int32) int32
	writeFunc  = func(tls *libc.TLS, file, buf uintptr, n int32, offset int64) int32
	syncFunc   = func(tls *libc.TLS, file uintptr, flags int32) int32
)

func newDisk(t *testing.T) *disk {
	t.Helper()
	d := &disk{
		name:  fmt.Sprint("disk-", disks.Add(1)),
		paths: map[uintptr]string{}, synced: map[string][]byte{}, methods: map[uintptr]uintptr{},
	}
	tls := libc.NewTLS()
	usual := at[sqlite3.Tsqlite3_vfs](sqlite3.Xsqlite3_vfs_find(tls, 0))
	name, err := libc.CString(d.name)
	if err != nil {
		t.Fatal(err)
	}
	address := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(*usual)))
	ours := at[sqlite3.Tsqlite3_vfs](address)
	*ours = *usual
	ours.FzName = name
	remove := callee[deleteFunc](usual.FxDelete)
	ours.FxDelete = replace(d, func(tls *libc.TLS, vfs, path uintptr, syncFolder int32) int32 {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.synced, libc.GoString(path))
		return remove(tls, vfs, path, syncFolder)
	})
	ours.FxOpen = replace(d, d.opener(callee[openFunc](usual.FxOpen)))
	if rc := sqlite3.Xsqlite3_vfs_register(tls, address, 0); rc != sqlite3.SQLITE_OK {
		t.Fatalf("registering a VFS: code %d", rc)
	}
	t.Cleanup(func() {
		sqlite3.Xsqlite3_vfs_unregister(tls, address)
		tls.Close()
		runtime.KeepAlive(d) // by now everything is closed that was on it
	})
	return d
}

func (d *disk) opener(open openFunc) openFunc {
	return func(tls *libc.TLS, vfs, path, file uintptr, flags int32, outFlags uintptr) int32 {
		rc := open(tls, vfs, path, file, flags, outFlags)
		if rc != sqlite3.SQLITE_OK || path == 0 {
			return rc
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.paths[file] = libc.GoString(path)
		f := at[sqlite3.Tsqlite3_file](file)
		if d.methods[f.FpMethods] == 0 {
			d.methods[f.FpMethods] = d.wrap(tls, f.FpMethods)
		}
		f.FpMethods = d.methods[f.FpMethods]
		return rc
	}
}

// wrap returns a copy of a file's methods in which write and sync can fail.
func (d *disk) wrap(tls *libc.TLS, methods uintptr) uintptr {
	usual := at[sqlite3.Tsqlite3_io_methods](methods)
	address := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(*usual)))
	ours := at[sqlite3.Tsqlite3_io_methods](address)
	*ours = *usual
	write, sync := callee[writeFunc](usual.FxWrite), callee[syncFunc](usual.FxSync)
	ours.FxWrite = replace(d, func(tls *libc.TLS, file, buf uintptr, n int32, offset int64) int32 {
		if code := d.writeCode.Load(); code != 0 {
			return code
		}
		return write(tls, file, buf, n, offset)
	})
	ours.FxSync = replace(d, func(tls *libc.TLS, file uintptr, flags int32) int32 {
		if code := d.syncCode.Load(); code != 0 {
			return code
		}
		d.mu.Lock()
		path := d.paths[file]
		d.mu.Unlock()
		if f := d.only.Load(); f != nil && filepath.Base(path) == f.name {
			return f.code
		}
		if d.beforeSync != nil {
			d.beforeSync()
		}
		rc := sync(tls, file, flags)
		d.mu.Lock()
		defer d.mu.Unlock()
		if path := d.paths[file]; rc == sqlite3.SQLITE_OK {
			d.synced[path], _ = os.ReadFile(path)
		}
		return rc
	})
	return address
}

// afterPowerCut writes to a folder what would be left of each file if nothing
// but what was synced had reached the platters.
func (d *disk) afterPowerCut(t testing.TB, folder string) {
	t.Helper()
	d.mu.Lock()
	files := maps.Clone(d.synced)
	d.mu.Unlock()
	for path, content := range files {
		// it has been renamed, and the folder been synced
		if whole, ok := strings.CutSuffix(path, ".partial"); ok && size(path) == 0 {
			if files[whole] != nil {
				continue
			}
			path = whole
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(path)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// at returns what is at an address outside the Go heap.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// callee returns the function that SQLite calls by address.
func callee[F any](address uintptr) F {
	p := &struct{ uintptr }{address}
	return *(*F)(unsafe.Pointer(p))
}

// replace returns the address at which SQLite calls f. d keeps f from being freed.
func replace[F any](d *disk, f F) uintptr {
	d.kept = append(d.kept, f)
	return *(*uintptr)(unsafe.Pointer(&f))
}
