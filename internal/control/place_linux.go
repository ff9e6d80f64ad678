package control

import "syscall"

// The magic numbers of file systems in which no files can be created; see statfs(2).
const (
	procMagic  = 0x9fa0
	sysfsMagic = 0x62656572
)

// holdsNoFiles reports whether a folder is in a kernel file system such as /proc.
func holdsNoFiles(dir string) bool {
	var of syscall.Statfs_t
	return syscall.Statfs(dir, &of) == nil && (of.Type == procMagic || of.Type == sysfsMagic)
}
