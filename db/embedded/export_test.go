package embedded

// From is the settings of a server whose PostgreSQL comes from that Maven repository into the folder.
func (c Config) From(repository, binaries string) Config {
	c.repository, c.binaries = repository, binaries
	return c
}

// Abandon makes an orphan of the server, as a killed process does where no death signal exists.
func (s *Server) Abandon() error {
	return release(s.lock)
}

// PID is the server's process.
func (s *Server) PID() int {
	return s.cmd.Process.Pid
}
