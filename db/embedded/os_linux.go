package embedded

import "syscall"

// dieWithParent has the kernel shut the server down when this process ends, however it ends.
func dieWithParent(attr *syscall.SysProcAttr, ephemeral bool) {
	attr.Pdeathsig = syscall.SIGINT
	if ephemeral {
		attr.Pdeathsig = syscall.SIGQUIT
	}
}
