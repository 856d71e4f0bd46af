//go:build !linux

package embedded

import "syscall"

// dieWithParent does nothing: only Linux has a signal for that. The next Start ends the orphan.
func dieWithParent(*syscall.SysProcAttr, bool) {}
