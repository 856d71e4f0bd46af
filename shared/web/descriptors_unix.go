//go:build unix

package web

import "syscall"

// descriptors is how many files and connections the process may have open at once. Go raises the soft limit to the hard
// one at the start of a program.
func descriptors() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return unlimited
	}
	return uint64(limit.Cur) //nolint:unconvert // it is signed on some systems
}
