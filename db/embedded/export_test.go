package embedded

// Abandon makes an orphan of the server, as a killed process does where no death signal exists.
func (s *Server) Abandon() error {
	return release(s.process.lock)
}

// PID is the server's process.
func (s *Server) PID() int {
	return s.process.cmd.Process.Pid
}
