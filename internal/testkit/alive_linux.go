package testkit

// Alive reports whether a process is there, and no zombie.
func Alive(pid int) bool {
	p, there := Look(pid)
	return there && p.State != 'Z' && p.State != 'X'
}
